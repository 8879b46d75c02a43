"""The lemmas, in Coq with MathComp, that every certificate begins with: what its tactics apply."""

from __future__ import annotations

CORE = r"""
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import perm ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Set Default Timeout 20.

Import GRing.Theory.
Local Open Scope ring_scope.

Section Core.

Variable F : comUnitRingType.
Implicit Types (x y c : F) (d : F -> F).

(* The inverse, with a type that `ring` meets everywhere else. *)
Definition inverse x : F := x^-1.
Local Notation "x ^-1" := (inverse x) : ring_scope.

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
Lemma add_zero x y c : x = 0 -> y = c -> x + y = c. Proof. by move=> -> ->; rewrite add0r. Qed.
Lemma zero_right x y : y = 0 -> x * y = 0. Proof. by move->; rewrite mulr0. Qed.

(* The Kronecker delta. *)
Lemma delta_one n (i : 'I_n) : (i == i)%:R = 1 :> F. Proof. by rewrite eqxx. Qed.
Lemma delta_swap n (i j : 'I_n) : (i == j)%:R = (j == i)%:R :> F. Proof. by rewrite eq_sym. Qed.
Lemma delta_use n (i j : 'I_n) (f g : 'I_n -> F) : f j = g j -> (i == j)%:R * f i = (i == j)%:R * g i.
Proof. by move=> fg; have [->|_] := eqVneq i j; rewrite ?fg // !mul0r. Qed.
Lemma delta_moves n (i j : 'I_n) (f : 'I_n -> F) : (i == j)%:R * f j = (i == j)%:R * f i.
Proof. by have [->|_] := eqVneq i j; rewrite // !mul0r. Qed.
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

(* What has an inverse; squares and their roots. *)
Lemma unit_same x y : x = y -> y \is a GRing.unit -> x \is a GRing.unit. Proof. by move->. Qed.
Lemma unit_times x y : x \is a GRing.unit -> y \is a GRing.unit -> x * y \is a GRing.unit.
Proof. by move=> ux uy; rewrite unitrM ux uy. Qed.
Lemma unit_inverse x : x \is a GRing.unit -> x^-1 \is a GRing.unit. Proof. by rewrite /inverse unitrV. Qed.
Lemma unit_power n x : x \is a GRing.unit -> x ^+ n \is a GRing.unit. Proof. exact: unitrX. Qed.
Lemma unit_opposite x : x \is a GRing.unit -> - x \is a GRing.unit. Proof. by rewrite unitrN. Qed.
Lemma unit_number m n :
  (m%:R : F) \is a GRing.unit -> (n%:R : F) \is a GRing.unit -> ((m * n)%:R : F) \is a GRing.unit.
Proof. by rewrite natrM; exact: unit_times. Qed.
Lemma unit_root x y : x ^+ 2 = y -> y \is a GRing.unit -> x \is a GRing.unit.
Proof. by move=> <-; rewrite unitrX_pos. Qed.
Lemma unit_zero x c : x \is a GRing.unit -> (x * x^-1 - 1) * c = 0.
Proof. by move=> ux; rewrite /inverse divrr // subrr mul0r. Qed.
Lemma root_zero x y c : x ^+ 2 = y -> (x ^+ 2 - y) * c = 0.
Proof. by move=> ->; rewrite subrr mul0r. Qed.
Lemma combine x y c : c = 0 -> x - y = c -> x = y.
Proof. by move=> -> /eqP; rewrite subr_eq0 => /eqP. Qed.

(* Matrices: functions of two indices; an inverse from the right is one from the left. *)
Definition inverses n (a b : 'I_n -> 'I_n -> F) : Prop := forall i j, \sum_(k < n) a i k * b k j = (i == j)%:R.
Definition symmetric n (a : 'I_n -> 'I_n -> F) : Prop := forall i j, a i j = a j i.
Lemma inverses_turned n (a b : 'I_n -> 'I_n -> F) : inverses a b -> inverses b a.
Proof.
move=> ab; have AB : (\matrix_(i, j) a i j) *m (\matrix_(i, j) b i j) = 1%:M.
  by apply/matrixP => i j; rewrite !mxE -(ab i j); apply: eq_bigr => k _; rewrite !mxE.
move=> i j; have /matrixP/(_ i j) := mulmx1C AB; rewrite !mxE => <-.
by apply: eq_bigr => k _; rewrite !mxE.
Qed.
Lemma inverse_symmetric n (a b : 'I_n -> 'I_n -> F) : inverses a b -> symmetric a -> symmetric b.
Proof.
move=> ab sa; pose A := \matrix_(i, j) a i j; pose B := \matrix_(i, j) b i j.
have AB : A *m B = 1%:M.
  by apply/matrixP => i j; rewrite !mxE -(ab i j); apply: eq_bigr => k _; rewrite !mxE.
have AT : A^T = A by apply/matrixP => i j; rewrite !mxE sa.
have BT : B^T = B.
  by rewrite -[RHS]mul1mx -[1%:M]trmx1 -AB trmx_mul AT -mulmxA AB mulmx1.
by move=> i j; have /matrixP/(_ i j) := BT; rewrite !mxE.
Qed.

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

Lemma along_inverse d x : derivation d -> x \is a GRing.unit -> d x^-1 = - (x^-1 * x^-1) * d x.
Proof.
move=> dd ux; case: (dd) => _ dM; have := dM x x^-1; rewrite {1}/inverse divrr // (still_one dd) => xx.
apply: (mulrI ux); have -> : x * d x^-1 = - (d x * x^-1) by apply/eqP; rewrite -addr_eq0 addrC -xx.
by have xv : x * x^-1 = 1 := divrr ux; ring: xv.
Qed.
Lemma along_inverse_power d n x :
  derivation d -> x \is a GRing.unit -> d (x^-1 ^+ n.+1) = - (n.+1%:R * x^-1 ^+ n.+2) * d x.
Proof.
move=> dd ux; rewrite (along_power n _ dd) (along_inverse dd ux).
by move: (x^-1) (d x) n.+1%:R => v s m; rewrite [v ^+ n.+2]exprS [v ^+ n.+1]exprS; move: (v ^+ n) => q; ring.
Qed.
Lemma along_root d x y :
  derivation d -> (2%:R : F) \is a GRing.unit -> x ^+ 2 = y -> y \is a GRing.unit ->
  d x = 2%:R^-1 * x^-1 * d y.
Proof.
move=> dd u2 xy uy; have ux := unit_root xy uy; case: (dd) => _ dM.
apply: (mulrI (unit_times u2 ux)); rewrite -xy expr2 dM.
have -> : 2%:R * x * (2%:R^-1 * x^-1 * (d x * x + x * d x)) = (2%:R * 2%:R^-1) * (x * x^-1) * (d x * x + x * d x).
  by ring.
by rewrite /inverse !divrr // !mul1r; ring.
Qed.
Lemma still_inverse d x : derivation d -> x \is a GRing.unit -> d x = 0 -> d x^-1 = 0.
Proof. by move=> dd ux dx; rewrite (along_inverse dd ux) dx mulr0. Qed.
Lemma still_root d x y :
  derivation d -> (2%:R : F) \is a GRing.unit -> x ^+ 2 = y -> y \is a GRing.unit -> d y = 0 -> d x = 0.
Proof. by move=> dd u2 xy uy dy; rewrite (along_root dd u2 xy uy) dy mulr0. Qed.

Lemma along_matrix_inverse d n (a b a' : 'I_n -> 'I_n -> F) :
  derivation d -> inverses a b -> (forall i j, d (a i j) = a' i j) ->
  forall i j, d (b i j) = \sum_(k < n) \sum_(l < n) (-1) * b i k * a' k l * b l j.
Proof.
move=> dd ab aa i j; have ba := inverses_turned ab; case: (dd) => dD dM.
have zero m : \sum_(k < n) a m k * d (b k j) = - \sum_(k < n) a' m k * b k j.
  apply/eqP; rewrite -addr_eq0 -big_split /=; apply/eqP.
  rewrite -[RHS](still_number (m == j) dd) -(ab m j) (along_sum dd (fun=> dM _ _)).
  by apply: each => k; rewrite aa addrC.
transitivity (\sum_(k < n) (k == i)%:R * d (b k j)).
  by apply: esym; apply: (@contract n i _ (fun k => d (b k j))).
transitivity (\sum_(k < n) \sum_(m < n) b i m * (a m k * d (b k j))).
  by apply: each => k; rewrite -(delta_swap i k) -(ba i k) mulr_suml; apply: each => m; rewrite mulrA.
rewrite exchange_big /=; apply: each => m; rewrite -mulr_sumr zero -sumrN mulr_sumr.
by apply: each => k; ring.
Qed.
Lemma still_matrix_inverse d n (a b : 'I_n -> 'I_n -> F) :
  derivation d -> inverses a b -> (forall i j, d (a i j) = 0) -> forall i j, d (b i j) = 0.
Proof.
move=> dd ab aa i j; rewrite (along_matrix_inverse dd ab aa).
by apply: sum_zero => k; apply: sum_zero => l; rewrite mulr0 mul0r.
Qed.
Lemma along_prod d (I : finType) (f : I -> F) :
  derivation d -> d (\prod_i f i) = \sum_i d (f i) * \prod_(k | k != i) f k.
Proof.
move=> dd; case: (dd) => dD dM.
have seq_prod (s : seq I) : uniq s ->
    d (\prod_(i <- s) f i) = \sum_(i <- s) d (f i) * \prod_(k <- s | k != i) f k.
  elim: s => [|a s IH]; first by rewrite !big_nil still_one.
  move=> /= /andP[a_s us]; rewrite !big_cons dM IH // eqxx /=.
  have -> : \prod_(k <- s | k != a) f k = \prod_(k <- s) f k.
    rewrite big_seq_cond [RHS]big_seq; apply: eq_bigl => k.
    by case ks: (k \in s) => //=; apply: contraNneq a_s => <-.
  congr (_ + _); rewrite mulr_sumr big_seq [RHS]big_seq; apply: eq_bigr => i i_s.
  have ai : a != i by apply: contraNneq a_s => ->.
  by rewrite big_cons ai; ring.
have := seq_prod (index_enum I) (index_enum_uniq I); rewrite big_mkcond /=.
by move=> ->; apply: eq_bigr => i _; congr (_ * _); apply: eq_bigl.
Qed.
Lemma along_cofactors d n (a : 'I_n -> 'I_n -> F) :
  derivation d ->
  d (\det (\matrix_(i, j) a i j)) = \sum_(k < n) \sum_(l < n) cofactor (\matrix_(i, j) a i j) k l * d (a k l).
Proof.
move=> dd; case: (dd) => dD dM; pose A := \matrix_(i, j) a i j.
rewrite /determinant (big_morph d dD (still_zero dd)).
transitivity (\sum_(s : 'S_n) \sum_(i < n) d (A i (s i)) * ((-1) ^+ s * \prod_(k | i != k) A k (s k))).
  apply: eq_bigr => s _; have s0 : d ((-1) ^+ s) = 0 by apply: still_power => //; apply/still_opposite/still_one.
  rewrite dM s0 mul0r add0r (along_prod _ dd) mulr_sumr; apply: eq_bigr => i _.
  by rewrite mulrCA; congr (_ * (_ * _)); apply: eq_bigl => k; rewrite eq_sym.
rewrite exchange_big; apply: each => i; rewrite (partition_big (fun s : 'S_n => s i) xpredT) //=.
apply: each => j; rewrite expand_cofactor mulr_suml; apply: eq_bigr => s /eqP <-.
by rewrite [A i (s i)]mxE [LHS]mulrC.
Qed.
Lemma along_determinant d n (a b a' : 'I_n -> 'I_n -> F) x :
  derivation d -> x = \det (\matrix_(i, j) a i j) -> inverses a b -> (forall i j, d (a i j) = a' i j) ->
  d x = \sum_(k < n) \sum_(l < n) x * b l k * a' k l.
Proof.
move=> dd -> ab aa; pose A := \matrix_(i, j) a i j; pose B := \matrix_(i, j) b i j.
have AB : A *m B = 1%:M.
  by apply/matrixP => i j; rewrite !mxE -(ab i j); apply: eq_bigr => k _; rewrite !mxE.
rewrite (along_cofactors _ dd); apply: each => k; apply: each => l; rewrite aa; congr (_ * _).
have -> : cofactor A k l = (\adj A) l k by rewrite mxE.
by rewrite -[\adj A]mulmx1 -AB mulmxA mul_adj_mx mul_scalar_mx !mxE.
Qed.
Lemma unit_determinant n (a b : 'I_n -> 'I_n -> F) : inverses a b -> \det (\matrix_(i, j) a i j) \is a GRing.unit.
Proof.
move=> ab; rewrite -unitmxE; case: (@mulmx1_unit F n (\matrix_(i, j) a i j) (\matrix_(i, j) b i j)) => //.
by apply/matrixP => i j; rewrite !mxE -(ab i j); apply: eq_bigr => k _; rewrite !mxE.
Qed.
Lemma along_log_determinant d n (a b a' : 'I_n -> 'I_n -> F) x :
  derivation d -> d x = (\det (\matrix_(i, j) a i j))^-1 * d (\det (\matrix_(i, j) a i j)) -> inverses a b ->
  (forall i j, d (a i j) = a' i j) -> d x = \sum_(k < n) \sum_(l < n) b l k * a' k l.
Proof.
move=> dd -> ab aa; rewrite (along_determinant dd erefl ab aa) mulr_sumr.
apply: each => k; rewrite mulr_sumr; apply: each => l.
by rewrite -mulrA /inverse mulKr // (unit_determinant ab).
Qed.
Lemma still_determinant d n (a : 'I_n -> 'I_n -> F) :
  derivation d -> (forall i j, d (a i j) = 0) -> d (\det (\matrix_(i, j) a i j)) = 0.
Proof.
move=> dd aa; rewrite (along_cofactors _ dd).
by apply: sum_zero => k; apply: sum_zero => l; rewrite aa mulr0.
Qed.
Lemma along_softmax d n (e u' s : 'I_n -> F) :
  derivation d -> (forall j, s j = e j * (\sum_(k < n) e k)^-1) -> \sum_(k < n) e k \is a GRing.unit ->
  (forall j, d (e j) = e j * u' j) ->
  forall i, d (s i) = \sum_(j < n) s i * ((i == j)%:R + (-1) * s j) * u' j.
Proof.
move=> dd; move zE: (\sum_(k < n) e k) => z sE uz de i; rewrite sE; case: (dd) => dD dM.
rewrite dM (along_inverse dd uz) de -zE (along_sum dd de) zE; move: z^-1 sE => v sE.
transitivity (\sum_(j < n) ((j == i)%:R * (e i * v * u' j) + (- (e i * v * v)) * (e j * u' j))).
  rewrite big_split /=; congr (_ + _); last by rewrite -[RHS]mulr_sumr mulrA mulrN !mulrA.
  by rewrite (@contract n i _ (fun j => e i * v * u' j)) //; ring.
by apply: each => j; rewrite (delta_swap i j) (sE j); ring.
Qed.
Lemma along_log_sum d n (e u' s : 'I_n -> F) x :
  derivation d -> d x = (\sum_(k < n) e k)^-1 * d (\sum_(k < n) e k) ->
  (forall j, s j = e j * (\sum_(k < n) e k)^-1) -> (forall j, d (e j) = e j * u' j) ->
  d x = \sum_(j < n) s j * u' j.
Proof.
by move=> dd -> sE de; rewrite (along_sum dd de) mulr_sumr; apply: each => j; rewrite sE; ring.
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
Lemma agree_inverse d e x :
  derivation d -> derivation e -> x \is a GRing.unit -> d x = e x -> d x^-1 = e x^-1.
Proof. by move=> dd ee ux xx; rewrite (along_inverse dd ux) (along_inverse ee ux) xx. Qed.
Lemma agree_root d e x y :
  derivation d -> derivation e -> (2%:R : F) \is a GRing.unit -> x ^+ 2 = y -> y \is a GRing.unit ->
  d y = e y -> d x = e x.
Proof. by move=> dd ee u2 xy uy yy; rewrite (along_root dd u2 xy uy) (along_root ee u2 xy uy) yy. Qed.
Lemma agree_matrix_inverse d e n (a b : 'I_n -> 'I_n -> F) :
  derivation d -> derivation e -> inverses a b -> (forall i j, d (a i j) = e (a i j)) ->
  forall i j, d (b i j) = e (b i j).
Proof.
by move=> dd ee ab aa i j; rewrite (along_matrix_inverse dd ab aa) (along_matrix_inverse ee ab (fun _ _ => erefl)).
Qed.
Lemma agree_determinant d e n (a : 'I_n -> 'I_n -> F) :
  derivation d -> derivation e -> (forall i j, d (a i j) = e (a i j)) ->
  d (\det (\matrix_(i, j) a i j)) = e (\det (\matrix_(i, j) a i j)).
Proof.
move=> dd ee aa; rewrite (along_cofactors _ dd) (along_cofactors _ ee).
by apply: each => k; apply: each => l; rewrite aa.
Qed.
Lemma agree_slope d e x y s : d y = s * d x -> e y = s * e x -> d x = e x -> d y = e y.
Proof. by move=> -> -> ->. Qed.

End Core.

Local Notation "x ^-1" := (inverse x) : ring_scope.
""".lstrip()
