"""All gradients at once: against differences, against one derivative at a time, and how they grow."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import symderiv
from symderiv import ParseError, ProofError, UnknownNameError, derive, gradients
from symderiv.tensor.expr import defined
from symderiv.tensor.parse import Scope, parse, scope_of

CASES = [
    ("norm(X @ w + b - y)**2", ["w", "b", "X", "y"], "X(n,p) w(p) b() y(n)", {}),
    ("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", ["W1", "b1", "W2", "b2"],
     "W1(m,n) b1(m) W2(p,m) b2(p) x(n) y(p)", {}),
    ("norm(T - U @ V.T)**2 + c * (sum(U**2) + sum(V**2))", ["U", "V"], "T(n,m) U(n,p) V(m,p) c()", {}),
    ("sum(exp(-z)) - a * logsumexp(W @ z)", ["a", "z", "W"], "a() z(p) W(q,p)", {}),
    ("logdet(K) + y @ inv(K) @ y", ["K", "y"], "K(n,n) y(n)", {"K": "positive_definite"}),
    ("tanh(A @ x) * y", ["x", "A", "y"], "A(n,m) x(m) y(n)", {}),
    ("where(x > 0, A @ x, 0) @ y", ["x", "A"], "x(n) A(n,n) y(n)", {}),
    ("x @ y", ["x", "z"], "x(n) y(n) z(m)", {}),
    ("norm(X @ w - y)**2", ["w", "y"], "X(n,s) w(s) y(n)", {}),
]  # fmt: skip


def block(declarations, statements):
    """Return declarations and statements as a block of the statement language."""
    return "\n".join(
        [*(f"{name}: ({', '.join(shape)}{',' * (len(shape) == 1)})" for name, shape in declarations), statements]
    )


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_against_differences(text, names, shapes, assume, shapes_of, arrays, evaluate, slope_of):
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume)
    given = arrays(shapes, assume)
    value, found = g.compile()(**given)
    np.testing.assert_allclose(value, evaluate(text, shapes, given), rtol=1e-12)
    assert list(found) == list(g) == names
    for name in names:
        wanted = slope_of(lambda at: evaluate(text, shapes, at), given, name)
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(evaluate(str(g[name]), shapes, given), wanted, rtol=1e-6, atol=1e-7)
    alone = g.compile(value=False)(**given)
    assert alone.keys() == found.keys()
    assert all(np.allclose(alone[name], found[name], rtol=1e-12) for name in names)


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_each_is_the_derivative(text, names, shapes, assume, shapes_of):
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume)
    for name in names:
        assert str(g[name]) == str(derive(text, name, shapes=shapes_of(shapes), assume=assume).result)


@pytest.mark.parametrize(("text", "names", "shapes", "assume"), CASES)
def test_the_proof_is_accepted(text, names, shapes, assume, shapes_of):
    proof = gradients(text, names, shapes=shapes_of(shapes), assume=assume).proof
    proof.check()
    labels = [a.label for a in proof.arguments]
    assert len(set(labels)) == len(labels)
    assert labels[-len(names) :] == names
    assert r"\square" in proof.to_latex()


def test_a_shared_definition_is_proved_once():
    shapes = {"W": ("m", "n"), "b": ("m",), "x": ("n",), "y": ("m",)}
    g = gradients("norm(tanh(W @ x + b) - y)**2", ["W", "b", "x"], shapes=shapes)
    each = sum(len(derive("norm(tanh(W @ x + b) - y)**2", v, shapes=shapes).proof.arguments) for v in "Wbx")
    assert len(g.proof.arguments) == 5 < each


def test_statements_are_a_block_of_the_language(shapes_of):
    shapes = shapes_of("W1(m,n) b1(m) W2(p,m) x(n) y(p)")
    g = gradients("norm(W2 @ tanh(W1 @ x + b1) - y)**2", ["W1", "b1", "W2"], shapes=shapes)
    claims = "\n".join(f"assert diff(f, {name}) == {name}_bar" for name in g)
    sheet = symderiv.Sheet(block(shapes.items(), f"{g.statements()}\n{claims}"))
    assert [claim.status for claim in sheet.claims] == ["proved"] * 3
    assert list(g.definitions) == ["u", "v", "u_bar"]
    assert g.statements().splitlines()[2] == "f = norm(v)**2"


def test_names_that_are_taken_stay_free(shapes_of, arrays, evaluate):
    shapes = "f(n) u(n,n) u_bar(n) v(n) f_bar()"
    text = "f_bar * norm(tanh(u @ f) - u_bar)**2 + sum(u @ f) + v @ f"
    g = gradients(text, ["u", "f", "u_bar"], shapes=shapes_of(shapes))
    given = arrays(shapes)
    value, found = g.compile()(**given)
    np.testing.assert_allclose(value, evaluate(text, shapes, given))
    for name in g:
        np.testing.assert_allclose(found[name], evaluate(str(g[name]), shapes, given))
    lines = [line.split(" = ")[0] for line in g.statements().splitlines()]
    assert len(set(lines)) == len(lines)
    assert not set(lines) & set(shapes_of(shapes))


# --- how it grows


def net(depth, layer="tanh(a{k})"):
    """Return `norm(z_L - y)**2` over the definitions of a net, and the names of its weights."""
    weights = [f"W{k}" for k in range(1, depth + 1)]
    scope = scope_of({"x": ("n",), "y": ("n",), **{w: ("n", "n") for w in weights}})
    scope = Scope(dict(scope.names), scope.sizes)
    last = "x"
    for k in range(1, depth + 1):
        for name, body in ((f"a{k}", f"W{k} @ {last}"), (f"z{k}", layer.format(k=k, last=last))):
            scope.names[name] = defined(name, parse(body, scope))
        last = f"z{k}"
    return parse(f"norm({last} - y)**2", scope), weights


def symbols(text):
    """Return the length of a text without brackets, and with numbers of one digit: what depth should add to."""
    return len(re.sub(r"[ ()]", "", re.sub(r"\d+", "0", text)))


@pytest.mark.parametrize("layer", ["tanh(a{k})", "{last} + tanh(a{k})", "sigmoid(a{k}) * a{k}", "softmax(a{k}, 0)"])
def test_text_and_code_grow_linearly_with_depth(layer):
    text, code = [], []
    for depth in (6, 12, 18):
        g = gradients(*net(depth, layer))
        assert len(g) == depth
        text.append(symbols(g.statements()))
        code.append(symbols(g.to_numpy()))
    for small, middle, large in (text, code):
        assert large - middle == pytest.approx(middle - small, rel=0.05)


@pytest.mark.parametrize("layer", ["tanh(a{k})", "{last} + tanh(a{k})", "sigmoid(a{k}) * a{k}"])
def test_the_statements_of_one_derivative_grow_linearly_too(layer):
    length = []
    for depth in (6, 9, 12):
        f, weights = net(depth, layer)
        length.append(symbols(derive(f, weights[0]).statements()))
    assert length[2] - length[1] <= 1.05 * (length[1] - length[0])


def test_a_deep_net_has_the_gradients_of_backpropagation():
    depth, n = 30, 4
    g = gradients(*net(depth))
    rng = np.random.default_rng(1)
    given = {w: rng.standard_normal((n, n)) / 2 for w in g} | {"x": rng.standard_normal(n), "y": rng.standard_normal(n)}
    z = [given["x"]]
    for k in range(1, depth + 1):
        z.append(np.tanh(given[f"W{k}"] @ z[-1]))
    wanted, bar = {}, 2 * (z[-1] - given["y"])
    for k in range(depth, 0, -1):
        delta = bar * (1 - z[k] ** 2)
        wanted[f"W{k}"] = np.outer(delta, z[k - 1])
        bar = given[f"W{k}"].T @ delta
    value, found = g.compile()(**given)
    np.testing.assert_allclose(value, np.sum((z[-1] - given["y"]) ** 2))
    for w in g:
        np.testing.assert_allclose(found[w], wanted[w], rtol=1e-9, atol=1e-14)


def test_the_proof_of_a_net_grows_linearly_with_depth():
    steps = []
    for depth in (3, 6, 9):
        proof = gradients(*net(depth)).proof
        assert len(proof.arguments) == 3 * depth + 1
        steps.append(len(proof.steps))
    assert steps[2] - steps[1] <= 1.1 * (steps[1] - steps[0])
    proof.check()


# --- assumptions, structure, unknown functions


def test_structure_and_assumptions(arrays, evaluate, shapes_of):
    shapes, assume = "S(n,n) D(n,n) x(n) A(n,n)", {"S": "symmetric", "D": "diagonal"}
    text, names = "trace(S @ A @ S) + x @ D @ S @ x", ["S", "D", "x"]
    g = gradients(text, names, shapes=shapes_of(shapes), assume=assume, structured=True)
    given = arrays(shapes, assume)
    plain = gradients(text, names, shapes=shapes_of(shapes), assume=assume).compile(value=False)(**given)
    eye = np.eye(3)
    wanted = {"S": plain["S"] + plain["S"].T - plain["S"] * eye, "D": plain["D"] * eye, "x": plain["x"]}
    _, found = g.compile()(**given)
    for name in names:
        np.testing.assert_allclose(found[name], wanted[name])
        np.testing.assert_allclose(evaluate(str(g[name]), shapes, given), wanted[name])
    g.proof.check()
    assert [note.partition(":")[0] for note in g.notes] == ["Convention", "Assumed", "Structured", "Structured"]
    assert "S symmetric, D diagonal" in g.notes[1]


def test_the_variable_is_symmetric_after_the_last_derivative_only():
    given = {"shapes": {"P": ("n", "n"), "x": ("n",), "y": ("n",)}, "assume": {"P": "symmetric"}}
    g = gradients("x @ inv(P) @ y", ["P", "x", "y"], **given)
    assert str(g["P"]) == "-outer(solve(P, x), solve(P, y))"
    assert (str(g["x"]), str(g["y"])) == ("solve(P, y)", "solve(P, x)")
    g.proof.check()


def test_a_result_may_be_a_symmetric_definition(arrays, shapes_of):
    shapes, assume = "B(n,m) A(n,n) S(n,n)", {"S": "positive_definite"}
    text = "logdet(B @ B.T + S) + trace((B @ B.T + S) @ A)"
    g = gradients(text, ["B", "S", "A"], shapes=shapes_of(shapes), assume=assume)
    g.proof.check()
    given = arrays(shapes, assume)
    inner = given["B"] @ given["B"].T + given["S"]
    bar = np.linalg.inv(inner) + given["A"].T
    _, found = g.compile()(**given)
    np.testing.assert_allclose(found["A"], inner)
    np.testing.assert_allclose(found["S"], bar)
    np.testing.assert_allclose(found["B"], (bar + bar.T) @ given["B"])


def test_unknown_functions_need_names():
    shapes = {"W": ("m", "n"), "x": ("n",), "v": ("m",)}
    g = gradients("v @ h(W @ x)", ["W", "v"], shapes=shapes, functions={"h": ["dh"]})
    rng = np.random.default_rng(0)
    given = {"W": rng.standard_normal((4, 3)), "x": rng.standard_normal(3), "v": rng.standard_normal(4)}
    _, found = g.compile()(**given, h=np.sin, dh=np.cos)
    np.testing.assert_allclose(found["W"], np.outer(given["v"] * np.cos(given["W"] @ given["x"]), given["x"]))
    with pytest.raises(symderiv.UnsupportedError, match="has no name"):
        gradients("v @ h(W @ x)", ["W"], shapes=shapes, functions={"h": []})


# --- the object


def test_it_pickles():
    g = gradients("norm(X @ w - y)**2", ["w", "y"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    again = pickle.loads(pickle.dumps(g))
    assert again.statements() == g.statements()
    assert str(again["w"]) == str(g["w"])
    again.proof.check()
    copied = pickle.loads(pickle.dumps(g.compile()))
    given = {"X": np.ones((3, 2)), "w": np.ones(2), "y": np.zeros(3)}
    assert copied(**given)[0] == pytest.approx(12)


def test_latex():
    g = gradients("norm(X @ w - y)**2", ["w", "y"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    text = g.to_latex("numerator")
    assert text.count(r"\partial f") == 2
    assert text.count(r"^{\top} \\") == 1
    assert g._repr_latex_().startswith("$$")
    assert len(g) == 2


@pytest.mark.parametrize("wrt", [[], ["w", "w"], 3, [1]])
def test_misuse_is_refused(wrt):
    with pytest.raises(ParseError):
        gradients("w @ w", wrt, shapes={"w": ("n",)})


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError):
        gradients("w @ w", ["v"], shapes={"w": ("n",)})
    with pytest.raises(UnknownNameError, match="those in w"):
        gradients("w @ w", ["w"], shapes={"w": ("n",)})["v"]


def test_a_damaged_proof_is_refused():
    from dataclasses import replace

    proof = gradients("norm(X @ w - y)**2", ["w", "y"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)}).proof
    (part,) = proof.parts
    *before, last = part.arguments
    swapped = replace(last, right=before[-1].right)
    with pytest.raises(ProofError):
        replace(proof, parts=(replace(part, arguments=(*before, swapped)),)).check()
