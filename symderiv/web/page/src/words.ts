// The words of the page. Those of mathematics (proved, counterexample, …) come from the engine's own phrase tables.

const en = {
  tagline: "Matrix calculus that shows its work",
  derive: "Derive", statements: "Statements", examples: "Examples", language: "Language", theme: "Colours",
  auto: "Auto", light: "Light", dark: "Dark", skip: "Skip to the content",
  expression: "Expression, as in NumPy or in LaTeX", expressionHint: "for example  norm(X @ w - y)**2",
  tryOne: "Try", reads: "reads as", variables: "Variables", shape: "Shape of {name}", guessed: "guessed", given: "set by you",
  reset: "Guess again", assume: "assume", assumptions: "Assumptions on {name}", wrt: "Derivative in",
  again: "and again in", structured: "only the free entries of symmetric and diagonal variables",
  result: "Derivative", layout: "Layout", array: "Array", numerator: "Numerator", denominator: "Denominator",
  copyText: "NumPy", copyLatex: "LaTeX", copyMarkdown: "Markdown", copyPlain: "Text", copy: "Copy", copied: "Copied", copyAs: "Copy as",
  proof: "Proof", check: "Check my answer", code: "Code", graph: "Graph", detail: "Detail",
  brief: "Brief", normal: "Normal", full: "Every step", steps: "{count} steps, every one checked by the kernel", unchecked: "the kernel does not accept every step",
  ruleHint: "Choose a reason to see the rule.", why: "Rule and reason: {reason}", becomes: "becomes",
  claimLabel: "What you think the derivative is, as in NumPy or in LaTeX", claimHint: "for example  2 * X.T @ (X @ w - y)  or  2 X^\\top (X w - y)", checkNow: "Check",
  derivativeIs: "The derivative is", claimSays: "your answer says", atEntry: "entry {entry}, counted from 0", wholeValue: "the value", theDerivative: "derivative",
  pointShown: "the arrays of the counterexample", codeHint: "Value and derivative as a NumPy function. It needs NumPy alone.",
  graphHint: "What the function is made of: values flow along the arrows, derivatives back along the dashed ones.",
  statementsHint: "Declare arrays, define what is made of them, and claim: each claim is proved, refuted with a counterexample, or undecided.",
  statementsLabel: "Statements", line: "line {line}", showProof: "Proof", nothing: "Nothing to show yet.", download: "All functions as NumPy",
  search: "Search in {count} examples", open: "Open", noneFound: "No example has these words.",
  thinking: "Working…", stop: "Stop", hint: "Hint", loading: "Loading Python into your browser", loadingPart: "{part}", ready: "Ready",
  served: "Answered on this machine by symderiv {version}.", local: "Answered in your browser: nothing you type leaves it.",
  localLimits: "This form has no time limit (use Stop), keeps to one question at a time, and decides by its own arithmetic where NumPy is not there; numeric checks of code(…) and tables need the installed package.",
  permalink: "Link to this", licences: "Licences", rule: "Rule", ruleProof: "Proof", ruleSource: "Source", zero: "zero", loadFailed: "Python could not be loaded in this browser",
  checkLatex: "Check LaTeX", latexLabel: "Your derivation, in LaTeX", givenLabel: "What the names are",
  latexHint: "Paste it as it stands in your notes, align and all. Each equality is proved, refuted with a counterexample, or undecided; reasons beside it are not judged.",
  givenHint: "Definitions such as A = D @ W, one a line; shapes that are not declared (D: (m, n)) are guessed where a formula tells them. A function without a formula is declared: loss: function(), or h: elementwise().",
  writeIn: "write them in", firstWrong: "Equality {number} is the first wrong one.", allRight: "All equalities are proved.", someOpen: "None is refuted; not all are decided.",
  equality: "Equality {number}", notRead: "beside it, not judged", whyItHolds: "Why the rule holds", ofShape: "shape {shape}", from1: "{entry}, counted from 1", from0: "{entry}, counted from 0",
  unreachable: "The server does not answer.", stillRunning: "Is `symderiv serve` still running?", tooMany: "Too many questions at once.", comeAgain: "Try again in a moment.",
  tooLate: "No answer within the time that a question has.", takeLess: "Take a smaller expression, fewer derivatives, or the command line, which waits as long as you do.",
  staysEnglish: "",
  numeratorNote: "Layout: numerator (the axes of the function first, a gradient is a row), in LaTeX only.", denominatorNote: "Layout: denominator (the axes of the variable first, a gradient is a column), in LaTeX only.",
};

type Words = typeof en;

const de: Words = {
  tagline: "Matrixableitungen mit Rechenweg",
  derive: "Ableiten", statements: "Aussagen", examples: "Beispiele", language: "Sprache", theme: "Farben",
  auto: "Auto", light: "Hell", dark: "Dunkel", skip: "Zum Inhalt",
  expression: "Ausdruck, wie in NumPy oder in LaTeX", expressionHint: "zum Beispiel  norm(X @ w - y)**2",
  tryOne: "Zum Probieren", reads: "gelesen als", variables: "Variablen", shape: "Form von {name}", guessed: "geraten", given: "von Ihnen gesetzt",
  reset: "Neu raten", assume: "annehmen", assumptions: "Annahmen über {name}", wrt: "Ableitung nach",
  again: "und noch einmal nach", structured: "nur die freien Einträge symmetrischer und diagonaler Variablen",
  result: "Ableitung", layout: "Layout", array: "Array", numerator: "Zähler", denominator: "Nenner",
  copyText: "NumPy", copyLatex: "LaTeX", copyMarkdown: "Markdown", copyPlain: "Text", copy: "Kopieren", copied: "Kopiert", copyAs: "Kopieren als",
  proof: "Beweis", check: "Antwort prüfen", code: "Code", graph: "Graph", detail: "Ausführlichkeit",
  brief: "Kurz", normal: "Normal", full: "Jeder Schritt", steps: "{count} Schritte, jeder vom Kern geprüft", unchecked: "der Kern nimmt nicht jeden Schritt an",
  ruleHint: "Eine Begründung wählen, um die Regel zu sehen.", why: "Regel und Begründung: {reason}", becomes: "wird",
  claimLabel: "Was Ihrer Meinung nach die Ableitung ist, wie in NumPy oder in LaTeX", claimHint: "zum Beispiel  2 * X.T @ (X @ w - y)  oder  2 X^\\top (X w - y)", checkNow: "Prüfen",
  derivativeIs: "Die Ableitung ist", claimSays: "Ihre Antwort sagt", atEntry: "Eintrag {entry}, ab 0 gezählt", wholeValue: "der Wert", theDerivative: "Ableitung",
  pointShown: "die Felder des Gegenbeispiels", codeHint: "Wert und Ableitung als NumPy-Funktion. Sie braucht nur NumPy.",
  graphHint: "Woraus die Funktion besteht: entlang der Pfeile fließen Werte, entlang der gestrichelten Ableitungen zurück.",
  statementsHint: "Felder erklären, daraus Neues definieren, behaupten: jede Behauptung wird bewiesen, durch ein Gegenbeispiel widerlegt oder bleibt unentschieden.",
  statementsLabel: "Aussagen", line: "Zeile {line}", showProof: "Beweis", nothing: "Noch nichts zu zeigen.", download: "Alle Funktionen als NumPy",
  search: "In {count} Beispielen suchen", open: "Öffnen", noneFound: "Kein Beispiel hat diese Wörter.",
  thinking: "Rechnet…", stop: "Anhalten", hint: "Hinweis", loading: "Python wird in den Browser geladen", loadingPart: "{part}", ready: "Bereit",
  served: "Beantwortet auf diesem Rechner von symderiv {version}.", local: "Beantwortet in Ihrem Browser: nichts Eingegebenes verlässt ihn.",
  localLimits: "Diese Form kennt keine Zeitgrenze (dafür: Anhalten), beantwortet eine Frage nach der anderen und entscheidet mit eigener Arithmetik, wo NumPy fehlt; numerische Prüfungen von code(…) und Tabellen brauchen das installierte Paket.",
  permalink: "Link hierher", licences: "Lizenzen", rule: "Regel", ruleProof: "Beweis", ruleSource: "Quelle", zero: "null", loadFailed: "Python konnte in diesem Browser nicht geladen werden",
  checkLatex: "LaTeX prüfen", latexLabel: "Ihre Herleitung, in LaTeX", givenLabel: "Was die Namen sind",
  latexHint: "Einfügen, wie sie in den Notizen steht, samt align. Jede Gleichung wird bewiesen, durch ein Gegenbeispiel widerlegt oder bleibt unentschieden; Begründungen daneben werden nicht beurteilt.",
  givenHint: "Definitionen wie A = D @ W, eine je Zeile; nicht erklärte Formen (D: (m, n)) werden geraten, wo eine Formel sie erkennen lässt. Eine Funktion ohne Formel wird erklärt: loss: function() oder h: elementwise().",
  writeIn: "hineinschreiben", firstWrong: "Gleichung {number} ist die erste falsche.", allRight: "Alle Gleichungen sind bewiesen.", someOpen: "Keine ist widerlegt; nicht alle sind entschieden.",
  equality: "Gleichung {number}", notRead: "daneben, nicht beurteilt", whyItHolds: "Warum die Regel gilt", ofShape: "Form {shape}", from1: "{entry}, ab 1 gezählt", from0: "{entry}, ab 0 gezählt",
  unreachable: "Der Server antwortet nicht.", stillRunning: "Läuft `symderiv serve` noch?", tooMany: "Zu viele Fragen auf einmal.", comeAgain: "Gleich noch einmal versuchen.",
  tooLate: "Keine Antwort in der Zeit, die eine Frage hat.", takeLess: "Einen kleineren Ausdruck nehmen, weniger Ableitungen oder die Kommandozeile, die so lange wartet wie Sie.",
  staysEnglish: "Englisch bleiben die Einzelheiten von Fehlermeldungen, die Texte der Regeln und der Code.",
  numeratorNote: "Zähler-Anordnung (die Achsen der Funktion zuerst, ein Gradient ist eine Zeile), nur in LaTeX.", denominatorNote: "Nenner-Anordnung (die Achsen der Variablen zuerst, ein Gradient ist eine Spalte), nur in LaTeX.",
};

const ja: Words = {
  tagline: "途中の式まで示す行列微分",
  derive: "微分", statements: "文", examples: "例", language: "言語", theme: "配色",
  auto: "自動", light: "明るい", dark: "暗い", skip: "本文へ",
  expression: "式（NumPy または LaTeX の書き方）", expressionHint: "例：  norm(X @ w - y)**2",
  tryOne: "試す", reads: "読み方", variables: "変数", shape: "{name} の形", guessed: "推測", given: "指定",
  reset: "推測に戻す", assume: "仮定", assumptions: "{name} についての仮定", wrt: "微分する変数",
  again: "さらに", structured: "対称・対角な変数の自由な成分だけで微分する",
  result: "導関数", layout: "レイアウト", array: "配列", numerator: "分子", denominator: "分母",
  copyText: "NumPy", copyLatex: "LaTeX", copyMarkdown: "Markdown", copyPlain: "テキスト", copy: "コピー", copied: "コピーしました", copyAs: "形式を選んでコピー",
  proof: "証明", check: "答えを確かめる", code: "コード", graph: "グラフ", detail: "詳しさ",
  brief: "要点", normal: "標準", full: "全段階", steps: "{count} 段階、すべて検査済み", unchecked: "検査を通らない段階があります",
  ruleHint: "理由を選ぶと、使った規則が開きます。", why: "規則と理由：{reason}", becomes: "→",
  claimLabel: "あなたの求めた導関数（NumPy または LaTeX）", claimHint: "例：  2 * X.T @ (X @ w - y)  、  2 X^\\top (X w - y)", checkNow: "確かめる",
  derivativeIs: "正しい導関数：", claimSays: "あなたの答え", atEntry: "成分 {entry}（0 から数える）", wholeValue: "値", theDerivative: "導関数",
  pointShown: "反例の配列", codeHint: "値と導関数を返す NumPy の関数です。NumPy だけで動きます。",
  graphHint: "関数の成り立ち：矢印に沿って値が流れ、破線に沿って微分が戻ります。",
  statementsHint: "配列を宣言し、定義し、主張を書くと、一つずつ証明・反例・未決定のいずれかが返ります。",
  statementsLabel: "文", line: "{line} 行目", showProof: "証明", nothing: "まだ表示するものがありません。", download: "すべての関数を NumPy で",
  search: "{count} 個の例から探す", open: "開く", noneFound: "この語を含む例はありません。",
  thinking: "計算中…", stop: "中止", hint: "ヒント", loading: "Python をブラウザーに読み込んでいます", loadingPart: "{part}", ready: "準備完了",
  served: "このマシンの symderiv {version} が答えています。", local: "ブラウザーの中で答えています。入力は外に送られません。",
  localLimits: "この形式には時間制限がなく（「中止」で止められます）、質問は一つずつ処理され、NumPy のない所では自前の計算で判定します。code(…) と表の数値検査には、インストールした symderiv が必要です。",
  permalink: "ここへのリンク", licences: "ライセンス", rule: "規則", ruleProof: "証明", ruleSource: "出典", zero: "零", loadFailed: "このブラウザーでは Python を読み込めませんでした",
  checkLatex: "LaTeX を検査", latexLabel: "LaTeX の式変形", givenLabel: "記号の意味",
  latexHint: "ノートの式を align ごと貼り付けてください。等式ごとに、証明・反例・未決定のいずれかが返ります。横に書いた理由は判定しません。",
  givenHint: "A = D @ W のような定義を一行に一つ。宣言のない形（D: (m, n)）は、式から分かる範囲で推測します。式のない関数は宣言してください：loss: function()、h: elementwise()。",
  writeIn: "書き込む", firstWrong: "最初の誤りは等式 {number} です。", allRight: "すべての等式が証明されました。", someOpen: "誤りは見つかりませんが、未決定の等式があります。",
  equality: "等式 {number}", notRead: "横の注記（判定しません）", whyItHolds: "規則が成り立つ理由", ofShape: "形 {shape}", from1: "{entry}（1 から数える）", from0: "{entry}（0 から数える）",
  unreachable: "サーバーが応答しません。", stillRunning: "`symderiv serve` は動いていますか。", tooMany: "質問が多すぎます。", comeAgain: "少し待ってからもう一度お試しください。",
  tooLate: "時間内に答えが出ませんでした。", takeLess: "式を小さくするか、微分の回数を減らすか、時間制限のないコマンドラインをお使いください。",
  staysEnglish: "エラーの詳細、規則の本文、コードは英語のままです。",
  numeratorNote: "分子レイアウト（関数の軸が先、勾配は行）。LaTeX の表示だけに使います。", denominatorNote: "分母レイアウト（変数の軸が先、勾配は列）。LaTeX の表示だけに使います。",
};

const TABLES: Record<string, Words> = { en, de, ja };
export const LANGUAGES: [string, string][] = [["en", "English"], ["de", "Deutsch"], ["ja", "日本語"]];

let current: Words = en;
let spoken = "en";
let borrowed: Record<string, string> = {};

export function speak(language: string, phrases: Record<string, string>): void {
  current = TABLES[language] ?? en;
  spoken = language;
  borrowed = phrases;
}

export function say(key: keyof Words, values: Record<string, string | number> = {}): string {
  return current[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

// A word of mathematics, as documents have it.
export function phrase(key: string): string {
  return borrowed[key] ?? key;
}

// ---------------------------------------------------------------- short tables

type ByLanguage = Record<string, string>;
const named = (en: string, de: string, ja: string): ByLanguage => ({ en, de, ja });

// What may be assumed of an array; the engine's own word where there is none here.
const TRAITS: Record<string, ByLanguage> = {
  binary: named("binary", "binär", "二値"), counts: named("counts", "Anzahlen", "計数"), diagonal: named("diagonal", "diagonal", "対角"),
  invertible: named("invertible", "invertierbar", "正則"), one_hot_rows: named("one-hot rows", "One-hot-Zeilen", "行が one-hot"),
  open_unit: named("between 0 and 1", "zwischen 0 und 1", "0 と 1 の間"), orthogonal: named("orthogonal", "orthogonal", "直交"),
  positive: named("positive", "positiv", "正"), positive_definite: named("positive definite", "positiv definit", "正定値"),
  probability: named("probability", "Wahrscheinlichkeit", "確率"), real: named("real", "reell", "実数"), signs: named("signs", "Vorzeichen", "符号"),
  simplex: named("simplex", "Simplex", "単体"), simplex_rows: named("simplex rows", "Zeilen im Simplex", "行が単体"), symmetric: named("symmetric", "symmetrisch", "対称"),
};

const STARTS = {
  leastSquares: named("least squares", "kleinste Quadrate", "最小二乗"), logistic: named("logistic loss", "logistischer Verlust", "ロジスティック損失"),
  quadratic: named("quadratic form", "quadratische Form", "二次形式"), layers: named("two layers", "zwei Schichten", "二層"),
  gaussian: named("Gaussian process", "Gauß-Prozess", "ガウス過程"), factorisation: named("factorisation", "Faktorisierung", "行列分解"),
  softmax: named("softmax", "Softmax", "ソフトマックス"), inLatex: named("in LaTeX", "in LaTeX", "LaTeX で"),
};
export type Start = keyof typeof STARTS;

// What kind of fault it is, where the rest of the message is English.
const FAULTS: Record<string, ByLanguage> = {
  ParseError: named("", "So nicht lesbar", "読み取れません"), UnknownNameError: named("", "Ein Name ist nicht bekannt", "未知の名前です"),
  ShapeError: named("", "Die Formen passen nicht zusammen", "形が合いません"), UnsupportedError: named("", "Das geht hier nicht", "ここではできません"),
  ProofError: named("", "Ein Beweisschritt wird nicht angenommen", "証明の一段階が認められません"),
};

function inLanguage(table: ByLanguage | undefined): string {
  return table?.[spoken] ?? table?.en ?? "";
}

export function traitName(trait: string): string {
  return inLanguage(TRAITS[trait]) || trait.replaceAll("_", " ");
}

export function startName(start: Start): string {
  return inLanguage(STARTS[start]);
}

export function faultKind(kind: string): string {
  return inLanguage(FAULTS[kind]);
}
