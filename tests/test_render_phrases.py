"""Languages from outside of the package: one file each."""

from __future__ import annotations

import pytest

from symderiv import ParseError, UnsupportedError
from symderiv.handout.build import build, built_in, read_and_decide, rendered
from symderiv.handout.source import read_source
from symderiv.render import phrases
from symderiv.render.phrases import add_language, languages, more_phrases, phrase

FRENCH = """claim = 'Énoncé'
proof = 'Démonstration'
definition_of = 'définition de $<name>$'
chain_rule_through = 'dérivation en chaîne par $<node>$'
"""
TEXT = "```symderiv\nx: (n,)\nu = 2 * x\nE = u @ u\nassert diff(E, x) == 8 * x, 'A'\n```\n"


@pytest.fixture
def templates(tmp_path):
    """A folder with one file in it: a language."""
    folder = tmp_path / "templates" / "phrases"
    folder.mkdir(parents=True)
    (folder / "fr.toml").write_text(FRENCH, encoding="utf-8")
    return folder.parent


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_language_is_one_file_in_a_folder_of_templates(source, templates, tmp_path):
    build([source], tmp_path / "out", ["tex", "md"], templates=templates, language="fr")
    for name in ("notes.md", "notes.tex"):
        page = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "Énoncé A" in page and "Démonstration" in page and "dérivation en chaîne par" in page
        assert "every step checked" in page  # what the file lacks is English
    assert "fr" not in languages()


def test_a_language_can_be_named_in_front_matter(source, templates):
    source.write_text(f"---\nlanguage: fr\n---\n{TEXT}", encoding="utf-8")
    built = read_and_decide(source, templates=templates)
    assert "Énoncé" in rendered(built, "md", templates=templates).decode()


def test_a_language_can_be_registered(source, tmp_path, monkeypatch):
    monkeypatch.setattr(phrases, "_ADDED", {})
    path = tmp_path / "fr.toml"
    path.write_text(FRENCH, encoding="utf-8")
    assert add_language(path) == "fr" and "fr" in languages()
    assert "Énoncé" in rendered(read_and_decide(source, language="fr"), "md").decode()
    assert phrase("fr-CA", "proof") == "Démonstration"


def test_single_phrases_of_ours_can_be_replaced(tmp_path):
    (tmp_path / "phrases").mkdir()
    (tmp_path / "phrases" / "de.toml").write_text("claim = 'Satz'\n", encoding="utf-8")
    with more_phrases(tmp_path):
        assert (phrase("de", "claim"), phrase("de", "proof")) == ("Satz", "Beweis")
    assert phrase("de", "claim") == "Behauptung"


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("fr.toml", "claim = 'a'\nclaims = 'b'\n", 2, "did you mean claim"),
        ("fr.toml", "claim = 'a'\n\nproof = 3\n", 3, "proof is a text"),
        ("fr.toml", "chain_rule_through = 'par <nœud>, par <name>'\n", 1, "no value <name>"),
        ("fr.toml", "claim = 'a'\nproof = b\n", 2, "Invalid value"),
        ("fr.toml", "claim = 'a'\nproof = 'b\n", 2, ""),
        ("Français.toml", "", None, "write fr.toml for French"),
    ],
)
def test_a_faulty_table_is_refused_with_its_place(tmp_path, name, text, line, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParseError) as refused:
        add_language(path)
    assert said in str(refused.value)
    if line is not None:
        assert f"{path}, line {line}" in str(refused.value)


def test_an_unknown_language_is_answered_with_the_way_to_add_it():
    with pytest.raises(UnsupportedError) as refused:
        phrase("fr", "claim")
    assert "de, en, ja" in refused.value.hint and "fr.toml" in refused.value.hint


# --- the built-in handouts ------------------------------------------------------------------------


def test_the_built_in_handouts_of_a_language():
    def chosen(language):
        return {p.stem for p in built_in(language)}

    assert chosen("de") == {
        "backpropagation-durch-eine-schicht", "backpropagation-through-time", "jacobian-and-hessian-of-a-network",
        "the-derived-cookbook",
    }  # fmt: skip
    assert {name for name in chosen("ja") if name.endswith("-ja")} == {
        "backpropagation-through-a-layer-ja", "backpropagation-through-time-ja", "jacobian-and-hessian-of-a-network-ja",
    }  # fmt: skip
    originals = {p.stem for p in built_in() if "translates:" not in p.read_text(encoding="utf-8")}
    assert chosen("en") == chosen("fr") == originals


def test_translations_are_of_handouts_and_keep_to_their_blocks():
    sources = {p.stem: read_source(p.read_text(encoding="utf-8"), p) for p in built_in()}
    for source in sources.values():
        if source.translates:
            original = sources[source.translates]
            assert source.language != original.language
            assert set(source.meanings) == set(original.meanings)
