"""The lemmas, in Coq with MathComp, that every certificate begins with: what its tactics apply."""

from __future__ import annotations

CORE = r"""
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Set Default Timeout 20.

Import GRing.Theory.
Local Open Scope ring_scope.

Section Core.

Variable F : comUnitRingType.
Implicit Types (x y c : F) (d : F -> F).

(* A derivation of the ring of quantities: it is additive, and Leibniz' rule holds. *)
Definition derivation d : Prop :=
  (forall x y, d (x + y) = d x + d y) /\ (forall x y, d (x * y) = d x * y + x * d y).

(* Congruence. *)
Lemma in_left x y c : x = y -> x * c = y * c. Proof. by move->. Qed.
Lemma in_right x y c : x = y -> c * x = c * y. Proof. by move->. Qed.
Lemma add_left x y c : x = y -> x + c = y + c. Proof. by move->. Qed.
Lemma add_right x y c : x = y -> c + x = c + y. Proof. by move->. Qed.
Lemma in_power n x y : x = y -> x ^+ n = y ^+ n. Proof. by move->. Qed.
Lemma both_times x y x' y' : x = x' -> y = y' -> x * y = x' * y'. Proof. by move=> -> ->. Qed.
Lemma both_plus x y x' y' : x = x' -> y = y' -> x + y = x' + y'. Proof. by move=> -> ->. Qed.
Lemma zero_left x y : x = 0 -> x * y = 0. Proof. by move->; rewrite mul0r. Qed.
Lemma zero_plus x y : x = 0 -> y = 0 -> x + y = 0. Proof. by move=> -> ->; rewrite addr0. Qed.
Lemma zero_right x y : y = 0 -> x * y = 0. Proof. by move->; rewrite mulr0. Qed.

(* The Kronecker delta. *)
Lemma delta_one n (i : 'I_n) : (i == i)%:R = 1 :> F. Proof. by rewrite eqxx. Qed.
Lemma delta_swap n (i j : 'I_n) : (i == j)%:R = (j == i)%:R :> F. Proof. by rewrite eq_sym. Qed.
Lemma delta_use n (i j : 'I_n) (f g : 'I_n -> F) : f j = g j -> (i == j)%:R * f i = (i == j)%:R * g i.
Proof. by move=> fg; have [->|_] := eqVneq i j; rewrite ?fg // !mul0r. Qed.
Lemma contract n (l : 'I_n) (f g : 'I_n -> F) :
  (forall j, f j = (j == l)%:R * g j) -> \sum_(j < n) f j = g l.
Proof.
move=> fE; rewrite (bigD1 l) //= fE eqxx mul1r big1 ?addr0 // => j jl.
by rewrite fE (negbTE jl) mul0r.
Qed.
Lemma contract_swapped n (l : 'I_n) (f g : 'I_n -> F) :
  (forall j, f j = (l == j)%:R * g j) -> \sum_(j < n) f j = g l.
Proof. by move=> fE; apply: contract => j; rewrite eq_sym. Qed.

(* Finite sums. *)
Lemma each n (f g : 'I_n -> F) : (forall i, f i = g i) -> \sum_(i < n) f i = \sum_(i < n) g i.
Proof. by move=> fg; apply: eq_bigr => i _. Qed.
Lemma sum_swap m n (f : 'I_m -> 'I_n -> F) :
  \sum_(i < m) \sum_(j < n) f i j = \sum_(j < n) \sum_(i < m) f i j.
Proof. exact: exchange_big. Qed.
Lemma sum_plus n (f g : 'I_n -> F) x y :
  \sum_(i < n) f i = x -> \sum_(i < n) g i = y -> \sum_(i < n) (f i + g i) = x + y.
Proof. by move=> <- <-; rewrite big_split. Qed.
Lemma sum_scaled n (f g : 'I_n -> F) c :
  (forall i, f i = c * g i) -> \sum_(i < n) f i = c * \sum_(i < n) g i.
Proof. by move=> fE; rewrite mulr_sumr; apply: eq_bigr. Qed.
Lemma out_left n (f : 'I_n -> F) x c : x = \sum_(i < n) f i -> x * c = \sum_(i < n) f i * c.
Proof. by move->; rewrite mulr_suml. Qed.
Lemma out_right n (f : 'I_n -> F) x c : x = \sum_(i < n) f i -> c * x = \sum_(i < n) c * f i.
Proof. by move->; rewrite mulr_sumr. Qed.
Lemma sum_same n c : \sum_(i < n) c = n%:R * c.
Proof. by rewrite sumr_const card_ord mulr_natl. Qed.
Lemma sum_zero n (f : 'I_n -> F) : (forall i, f i = 0) -> \sum_(i < n) f i = 0.
Proof. by move=> f0; rewrite big1. Qed.

(* Derivations. *)
Lemma linear d x y x' y' : derivation d -> d x = x' -> d y = y' -> d (x + y) = x' + y'.
Proof. by case=> dD _ <- <-. Qed.
Lemma leibniz d x y x' y' : derivation d -> d x = x' -> d y = y' -> d (x * y) = x' * y + x * y'.
Proof. by case=> _ dM <- <-. Qed.
Lemma still_zero d : derivation d -> d 0 = 0.
Proof. by case=> dD _; apply: (addrI (d 0)); rewrite -dD !addr0. Qed.
Lemma still_one d : derivation d -> d 1 = 0.
Proof. by case=> _ dM; apply: (addrI (d 1)); have := dM 1 1; rewrite !mulr1 mul1r addr0. Qed.
Lemma still_opposite d x : derivation d -> d x = 0 -> d (- x) = 0.
Proof. by move=> dd dx; apply: (addrI (d x)); case: (dd) => dD _; rewrite -dD subrr (still_zero dd) dx addr0. Qed.
Lemma still_plus d x y : derivation d -> d x = 0 -> d y = 0 -> d (x + y) = 0.
Proof. by case=> dD _ dx dy; rewrite dD dx dy addr0. Qed.
Lemma still_times d x y : derivation d -> d x = 0 -> d y = 0 -> d (x * y) = 0.
Proof. by case=> _ dM dx dy; rewrite dM dx dy mul0r mulr0 addr0. Qed.
Lemma still_number d n : derivation d -> d n%:R = 0.
Proof.
move=> dd; elim: n => [|n dn]; first exact: still_zero.
by rewrite -addn1 natrD; apply: still_plus => //; exact: still_one.
Qed.
Lemma still_power d n x : derivation d -> d x = 0 -> d (x ^+ n) = 0.
Proof.
move=> dd dx; elim: n => [|n dn]; first by rewrite expr0; exact: still_one.
by rewrite exprS; exact: still_times.
Qed.
Lemma along_sum d n (f g : 'I_n -> F) :
  derivation d -> (forall i, d (f i) = g i) -> d (\sum_(i < n) f i) = \sum_(i < n) g i.
Proof.
move=> dd fg; case: (dd) => dD _; rewrite (big_morph d dD (still_zero dd)).
by apply: eq_bigr => i _; exact: fg.
Qed.
Lemma still_sum d n (f : 'I_n -> F) : derivation d -> (forall i, d (f i) = 0) -> d (\sum_(i < n) f i) = 0.
Proof. by move=> dd f0; rewrite (along_sum dd f0); exact: sum_zero. Qed.
Lemma along_power d n x : derivation d -> d (x ^+ n.+1) = n.+1%:R * x ^+ n * d x.
Proof.
move=> dd; case: (dd) => _ dM; elim: n => [|n dn]; first by rewrite !expr1 expr0 !mul1r.
by rewrite exprS dM dn [x ^+ n.+1]exprS -[n.+2]addn1 natrD; ring.
Qed.

(* Combinations of derivations, and where two derivations agree: the chain rule. *)
Lemma combined_times d c : derivation d -> derivation (fun z => d z * c).
Proof. by move=> [dD dM]; rewrite /derivation; split=> x y /=; rewrite ?dD ?dM; ring. Qed.
Lemma combined_plus d e : derivation d -> derivation e -> derivation (fun z => d z + e z).
Proof. by move=> [dD dM] [eD eM]; rewrite /derivation; split=> x y /=; rewrite ?dD ?dM ?eD ?eM; ring. Qed.
Lemma combined_sum n (d : 'I_n -> F -> F) :
  (forall i, derivation (d i)) -> derivation (fun z => \sum_(i < n) d i z).
Proof.
move=> dd; rewrite /derivation; split=> x y /=; first by rewrite -big_split; apply: each => i; case: (dd i) => ->.
by rewrite mulr_suml mulr_sumr -big_split; apply: each => i; case: (dd i) => _ ->.
Qed.
Lemma scaled_left x y s c : x = s * y -> x * c = s * (y * c). Proof. by move->; rewrite mulrA. Qed.
Lemma scaled_plus x y x' y' s : x = s * x' -> y = s * y' -> x + y = s * (x' + y').
Proof. by move=> -> ->; rewrite mulrDr. Qed.
Lemma agree_number d e n : derivation d -> derivation e -> d n%:R = e n%:R.
Proof. by move=> dd ee; rewrite !still_number. Qed.
Lemma agree_zero d e : derivation d -> derivation e -> d 0 = e 0.
Proof. by move=> dd ee; rewrite !still_zero. Qed.
Lemma agree_one d e : derivation d -> derivation e -> d 1 = e 1.
Proof. by move=> dd ee; rewrite !still_one. Qed.
Lemma agree_plus d e x y : derivation d -> derivation e -> d x = e x -> d y = e y -> d (x + y) = e (x + y).
Proof. by case=> dD _ [eD _]; rewrite dD eD => -> ->. Qed.
Lemma agree_times d e x y : derivation d -> derivation e -> d x = e x -> d y = e y -> d (x * y) = e (x * y).
Proof. by case=> _ dM [_ eM]; rewrite dM eM => -> ->. Qed.
Lemma agree_opposite d e x : derivation d -> derivation e -> d x = e x -> d (- x) = e (- x).
Proof.
by move=> dd ee xx; rewrite -mulN1r; apply: agree_times => //; rewrite !still_opposite ?still_one.
Qed.
Lemma agree_sum d e n (f : 'I_n -> F) :
  derivation d -> derivation e -> (forall i, d (f i) = e (f i)) -> d (\sum_(i < n) f i) = e (\sum_(i < n) f i).
Proof. by move=> dd ee ff; rewrite (along_sum dd ff) (along_sum ee (fun=> erefl)). Qed.
Lemma agree_power d e n x : derivation d -> derivation e -> d x = e x -> d (x ^+ n) = e (x ^+ n).
Proof. by move=> dd ee xx; case: n => [|n]; rewrite ?expr0 ?still_one // !along_power // xx. Qed.
Lemma agree_slope d e x y s : d y = s * d x -> e y = s * e x -> d x = e x -> d y = e y.
Proof. by move=> -> -> ->. Qed.

End Core.
""".lstrip()
