"""What a verdict rests on, in the language of the page.

The engine says it in English, sentence by sentence.  Those that it has fixed words for are said again in German and
Japanese; where one of them is not known, the whole stays English, and the page is told so.
"""

from __future__ import annotations

import re

ENGLISH = "en"
# a sentence of the engine -> German, Japanese; what is in brackets is put in, as it is
SENTENCES = {
    r"all sizes": ("alle Größen", "すべてのサイズ"),
    r"all sizes and lengths": ("alle Größen und Längen", "すべてのサイズと長さ"),
    r"every step checked": ("jeder Schritt geprüft", "すべての段階を検査"),
    r"the sides differ modulo (\d+) and in floats at (.+)": (
        "die Seiten unterscheiden sich modulo {0} und in Gleitkommazahlen bei {1}",
        "{1} で両辺は法 {0} でも浮動小数点でも異なる",
    ),
    r"at (.+) the sides differ modulo (\d+), but not in floats": (
        "bei {0} unterscheiden sich die Seiten modulo {1}, aber nicht in Gleitkommazahlen",
        "{0} で両辺は法 {1} で異なるが、浮動小数点では異ならない",
    ),
    r"at (.+) the sides agree modulo primes, but not in floats": (
        "bei {0} stimmen die Seiten modulo Primzahlen überein, aber nicht in Gleitkommazahlen",
        "{0} で両辺は素数を法として一致するが、浮動小数点では一致しない",
    ),
    r"at (.+) no float point was found where both sides are defined": (
        "bei {0} wurde keine Stelle gefunden, an der beide Seiten definiert sind",
        "{0} で両辺が定義される点が見つからない",
    ),
    r"no point was found where both sides are defined": (
        "es wurde keine Stelle gefunden, an der beide Seiten definiert sind", "両辺が定義される点が見つからない",
    ),
    r"the claim is undefined where the derivative exists": (
        "die Behauptung ist nicht definiert, wo es die Ableitung gibt", "導関数が存在する所で主張が定義されない",
    ),
    r"the claim is undefined at (.+)": ("nicht definiert ist die Behauptung bei {0}", "主張は {0} で定義されない"),
    r"an array of (\d+) entries is too large to be tested: name its sizes": (
        "ein Feld mit {0} Einträgen ist zu groß für eine Probe: seine Größen als Namen schreiben",
        "成分が {0} 個の配列は大きすぎて試せない。サイズを名前で書くこと",
    ),
    r"sizes (.+)": ("Größen {0}", "サイズ {0}"),
    r"no sizes": ("keine Größen", "サイズなし"),
    r"(\d+) random points modulo primes of 23 to 28 bits": (
        "{0} zufällige Stellen modulo Primzahlen von 23 bis 28 Bit",
        "23〜28 ビットの素数を法とする {0} 個のランダムな点",
    ),
    r"away from kinks, every branch met": (
        "abseits der Knicke, jeder Zweig kam vor", "折れ点を除く。すべての分岐を通った",
    ),
    r"away from kinks, not met: (.+)": (
        "abseits der Knicke, nicht vorgekommen: {0}", "折れ点を除く。通らなかった分岐：{0}",
    ),
    r"as an identity in (.+)": ("als Identität in {0}", "{0} についての恒等式として"),
    r"a false claim passes with probability below (\S+) at these sizes": (
        "eine falsche Behauptung käme bei diesen Größen mit einer Wahrscheinlichkeit unter {0} durch",
        "これらのサイズで誤った主張が通る確率は {0} 未満",
    ),
    r"no proof for all lengths": ("kein Beweis für alle Längen", "すべての長さについての証明はない"),
    r"it holds in (\d+) instances \(exact\)": ("in {0} Fällen gilt es (exakt)", "{0} 個の場合に成り立つ（厳密）"),
    r"the claim has no instance": ("die Behauptung hat keinen Fall", "主張に当てはまる場合がない"),
    r"relative error (\S+) against independent numeric derivatives": (
        "relativer Fehler {0} gegen unabhängige numerische Ableitungen", "独立な数値微分との相対誤差 {0}",
    ),
}  # fmt: skip
# what stands before a sentence that follows it
BEFORE = {
    r"where it fails, the hypotheses need not hold": (
        "wo es nicht stimmt, müssen die Voraussetzungen nicht gelten", "成り立たない所で仮定が成り立つとは限らない",
    ),
    r"the sides differ in the coefficient of (\S+)": (
        "die Seiten unterscheiden sich im Koeffizienten von {0}", "両辺は {0} の係数が異なる",
    ),
    r"((?:\w+ = \d+(?:, )?)+)": ("{0}", "{0}"),
}  # fmt: skip
COLUMN = {"de": 0, "ja": 1}


def scope(text: str, language: str) -> tuple[str, str]:
    """Return what a verdict rests on, and the language that it is said in.

    >>> scope("all sizes; every step checked", "de")
    ('alle Größen; jeder Schritt geprüft', 'de')
    >>> scope("all sizes; the moon was full", "de")
    ('all sizes; the moon was full', 'en')
    """
    column = COLUMN.get(language)
    if column is None or not text:
        return text, ENGLISH
    said = [_sentence(part, column) for part in text.split("; ")]
    return (text, ENGLISH) if None in said else ("; ".join(filter(None, said)), language)


def _sentence(text: str, column: int) -> str | None:
    """Return one sentence in another language; None where it is not known."""
    for pattern, other in SENTENCES.items():
        if found := re.fullmatch(pattern, text):
            return other[column].format(*found.groups())
    for pattern, other in BEFORE.items():
        if found := re.fullmatch(f"{pattern}: (?P<rest>.+)", text):
            rest = _sentence(found["rest"], column)
            return None if rest is None else f"{other[column].format(*found.groups())}: {rest}"
    return None
