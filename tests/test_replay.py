"""The proof replays: every chain of equalities arrives, and its steps join."""

from __future__ import annotations

import pytest

from symderiv import derive
from symderiv.check import kernel
from symderiv.index.nodes import Derivative, Entry, Immediate, at, free_indices, places
from symderiv.index.rules import RULES
from symderiv.replay import replay
from symderiv.stage import Stage
from symderiv.tensor.expr import defined
from symderiv.tensor.parse import Scope, parse, scope_of

CASES = [
    ("x @ A @ x", "x", "x(n) A(n,n)", {}),
    ("norm(X @ w - y)**2", "w", "X(n,p) w(p) y(n)", {}),
    ("norm(x - a)", "x", "x(n) a(n)", {}),
    ("x / norm(x)", "x", "x(n)", {}),
    ("trace(A @ X @ B)", "X", "A(n,m) X(m,p) B(p,n)", {}),
    ("trace(matrix_power(X, 3))", "X", "X(n,n)", {}),
    ("matrix_power(X, 2)", "X", "X(n,n)", {}),
    ("inv(X)", "X", "X(n,n)", {}),
    ("a @ inv(X) @ b", "X", "X(n,n) a(n) b(n)", {}),
    ("a @ inv(X + outer(a, b)) @ b", "a", "X(n,n) a(n) b(n)", {}),
    ("det(X)", "X", "X(n,n)", {}),
    ("logdet(X.T @ X)", "X", "X(n,p)", {}),
    ("exp(x)", "x", "x(n)", {}),
    ("tanh(A @ x)", "x", "A(m,n) x(n)", {}),
    ("sum(sigmoid(X @ w))", "w", "X(n,p) w(p)", {}),
    ("sum(log(sigmoid(X @ w)))", ["w", "w"], "X(n,p) w(p)", {}),
    ("softmax(x, 0)", "x", "x(n)", {}),
    ("softmax(X, 1)", "X", "X(n,m)", {}),
    ("logsumexp(X @ w)", ["w", "w"], "X(n,p) w(p)", {}),
    ("logsumexp(X, 1)", "X", "X(n,m)", {}),
    ("prod(x)", "x", "x(n)", {}),
    ("sum(X, 0)", "X", "X(n,m)", {}),
    ("mean(X, 1) * mean(X)", "X", "X(n,m)", {}),
    ("trace(X**1.5)", "X", "X(n,n)", {}),
    ("x / (2 + Q**2)", "x", "x(n) Q(1,1)", {"Q": "orthogonal"}),
    ("outer(x, x @ A)", "x", "x(n) A(n,m)", {}),
    ("kron(X, X)", "X", "X(p,n)", {}),
    ("vec(A @ X)", "X", "A(n,m) X(m,p)", {}),
    ("kron(A, B) @ vec(X)", "X", "A(n,m) B(p,q) X(q,m)", {}),
    ("diag(x) @ A", "x", "x(n) A(n,m)", {}),
    ("diag(A @ X)", "X", "A(n,m) X(m,n)", {}),
    ("einsum('bij,j->bi', T, x)", "x", "T(b,n,m) x(m)", {}),
    ("transpose(T, (2, 0, 1)) * 2", "T", "T(b,n,m)", {}),
    ("maximum(x, y) * minimum(x, 0)", "x", "x(n) y(n)", {}),
    ("where(x > 0, exp(x), x * y)", "x", "x(n) y(n)", {}),
    ("relu(W @ x)", "W", "W(m,n) x(n)", {}),
    ("x**y", "y", "x(n) y(n)", {}),
    ("x**x", "x", "x(n)", {}),
    ("norm(T - U @ V.T)**2", ["U", "V"], "T(n,m) U(n,p) V(m,p)", {}),
    ("norm(T - U @ V.T)**2", ["U", "U"], "T(n,m) U(n,p) V(m,p)", {}),
    ("x @ inv(P) @ y", ["P", "P"], "x(n) P(n,n) y(n)", {"P": "positive_definite"}),
    ("norm(x[:, None] - y[None, :])**2", "x", "x(n) y(m)", {}),
    ("c * x / (1 + c)", "c", "c() x(n)", {}),
    ("sum(y)", "x", "x(n) y(n)", {}),
    ("sum(tanh(W @ tanh(W @ x)))", "W", "W(n,n) x(n)", {}),
    ("exp(-norm(x - y)**2 / (2 * c**2))", "x", "x(n) y(n) c()", {}),
]


@pytest.mark.parametrize(
    ("text", "wrt", "shapes", "assume"), CASES, ids=[f"{row[0]} d{''.join(row[1])}" for row in CASES]
)
def test_every_chain_arrives_and_its_steps_join(text, wrt, shapes, assume, shapes_of):
    d = derive(text, wrt, shapes=shapes_of(shapes), assume=assume)
    proof = d.proof
    assert len(proof.parts) == len([wrt] if isinstance(wrt, str) else wrt)
    for part, stage in zip(proof.parts, d.stages, strict=True):
        assert part.arguments[-1].label == stage.variables[-1].name
        for argument in part.arguments:
            assert isinstance(argument.left, Derivative)
            assert argument.steps[0].before is argument.left
            assert argument.steps[-1].after is argument.right
            for step, following in zip(argument.steps, argument.steps[1:], strict=False):
                assert step.after is following.before
            for step in argument.steps:
                assert step.rule == "read off" or free_indices(step.after) <= free_indices(step.before)
                assert not any(isinstance(p, Immediate) for _, p in places(argument.right))
                if step.rule in RULES and step.rule != "definition":
                    assert RULES[step.rule](at(step.before, step.place), part.context) is at(step.after, step.place)
    last = proof.parts[-1].arguments[-1]
    assert isinstance(last.right, Entry)


@pytest.mark.parametrize(
    "text", ["where(x > 0, A @ x, 0)", "where(c > 1, x @ x, 0)", "where(c > 1, c * x, 0)", "where(x > 1, x @ x, x)"]
)
def test_choices_between_what_is_not_entrywise_arrive(text):
    d = derive(text, "x", shapes={"x": ("n",), "A": ("n", "n"), "c": ()})
    d.proof.check()


def net(depth, layer="tanh(a{k})"):
    """Return the stage of a net over definitions, its derivative in the first weights."""
    declared = scope_of({"x": ("n",), "y": ("n",), **{f"W{k}": ("n", "n") for k in range(depth)}})
    scope, last = Scope(dict(declared.names), declared.sizes), "x"
    for k in range(depth):
        for name, body in ((f"a{k}", f"W{k} @ {last}"), (f"z{k}", layer.format(k=k, last=last))):
            scope.names[name] = defined(name, parse(body, scope))
        last = f"z{k}"
    return Stage(parse(f"norm({last} - y)**2", scope), (scope.names["W0"],)), list(declared.names)


@pytest.mark.parametrize("depth", [2, 4, 5, 8, 16, 32])
def test_deep_nets_arrive(depth):
    proof = replay(*net(depth))
    assert len(proof.arguments) == 2 * depth + 1
    if depth <= 8:
        kernel.check(proof.arguments, proof.context)


@pytest.mark.parametrize("layer", ["relu(a{k})", "softmax(a{k}, 0)", "sigmoid(a{k}) * a{k}", "{last} + tanh(a{k})"])
def test_deep_nets_of_other_layers_arrive(layer):
    proof = replay(*net(4, layer))
    kernel.check(proof.arguments, proof.context)


def test_the_steps_grow_linearly_with_depth():
    steps = [sum(len(a.steps) for a in replay(*net(depth)).arguments) for depth in (4, 8, 16)]
    assert steps[2] - steps[1] <= 2.2 * (steps[1] - steps[0])


def test_how_many_steps_the_replays_take(shapes_of, capsys):
    edges = steps = chains = 0
    for text, wrt, shapes, assume in CASES:
        d = derive(text, wrt, shapes=shapes_of(shapes), assume=assume)
        edges += sum(len(stage.chain.edges) for stage in d.stages)
        chains += len(d.proof.arguments)
        steps += len(d.proof.steps)
    with capsys.disabled():
        print(f"\n{len(CASES)} derivations: {edges} edges, {chains} chains, {steps} steps, all arriving")
    assert chains >= len(CASES)


@pytest.mark.parametrize("names", [("t", "q", "i", "j"), ("k", "l", "r", "f"), ("u", "v", "s", "F")])
def test_letters_of_the_expression_are_not_taken_for_indices(names):
    a, x, y, size = names
    d = derive(f"norm({a} @ {x} - {y})**2", x, shapes={a: (size, "p"), x: ("p",), y: (size,)})
    used = {i.name for s in d.proof.steps for _, e in places(s.after) if isinstance(e, Entry) for i in e.indices}
    assert not used & {a, x, y, size}


@pytest.mark.parametrize(
    ("expr", "by", "shapes", "assume"),
    [
        ("c / softplus(ones(p))", "c", {"c": (), "x": ("p",)}, {}),
        ("x @ softplus(ones(m))", "x", {"x": ("m",)}, {}),
        ("norm(c)", "c", {"c": ()}, {}),
        ("minimum(c, c)", "c", {"c": ()}, {}),
        ("c**t", ["c", "c"], {"c": (), "t": ()}, {"c": "positive"}),
        ("norm(X + X.T)**2 / 4", "X", {"X": ("n", "n")}, {}),  # the result is a definition
        ("norm(x)**2 / 2", "x", {"x": ("n",)}, {}),  # the result is the variable
        ("sum(C * maximum(x[:, None], x[None, :]))", "x", {"x": ("n",), "C": ("n", "n")}, {}),
        ("sum(maximum(X[:, None, :], X[None, :, :]))", "X", {"X": ("n", "m")}, {}),
        ("matrix_power(softmax(A, 1), 0)", "A", {"A": ("n", "n")}, {}),  # f does not depend on its definition
        ("x / A @ exp(ones(p, m))", "A", {"A": ("p", 1), "x": ("p",), "B": ("p", "m")}, {}),
        ("logdet(tanh(kron(W, A)))", "A", {"W": (2, 2), "A": ("m", "m")}, {}),
    ],
)
def test_proofs_that_once_did_not_arrive(expr, by, shapes, assume):
    derive(expr, by, shapes=shapes, assume=assume).proof.check()


def test_a_chain_that_cancels_in_the_normal_form():
    shapes = {"x": (2,), "A": ("n", 2), "X": (2, "m"), "B": ("m", "n")}
    text = "solve(maximum(x, softmax(A, -1)) @ maximum(x, softmax(A, -1)).T, (x @ X - x @ X) @ log1p(B))"
    d = derive(text, "A", shapes=shapes)
    assert str(d.result) == "zeros(n, n, 2)"
    d.proof.check()


def test_the_definitions_that_the_variable_does_not_reach_are_known_to_the_kernel():
    shapes = {"x": ("n",), "y": ("n",), "s": (), "l": ()}
    d = derive("y @ inv(exp(-(x[:, None] - x)**2 / l**2) + s * eye(n)) @ y", ["l", "s"], shapes=shapes)
    last = d.proof.parts[-1]
    assert set(last.context.chain) > {a.label for a in last.arguments} - {"s"}
    d.proof.check()
