r"""A derivative as a linear map that keeps its structure: δ, blocks and products, instead of all entries.

The derivative D of a function in a variable x is a linear map: for a change v of x the function changes by

    (D v)[o] = Σ_c D[o, c] v[c],    o the axes of the function (*rows*), c those of x (*columns*).

Of a higher derivative the last variable has the columns.  In the normal form D is a sum of products of factors
over rows, columns and bound indices.  It is read by four laws.

* **A δ between a row i and a column k ties them.**  What is left over, B, no longer has the axes i and k but at
  most their common value: `D = δ[i,k] B[i; …]`.  Where nothing else is left D is *diagonal*; where B does not
  depend on i, it is *equal blocks*, δ ⊗ B; where it does, D is *block diagonal*, a block for each i.
* **Factors that share no index but tied ones multiply as Kronecker products**: `D = A[i,k] B[j,l]`, and
  `(A ⊗ B)(v) = A v Bᵀ`, `(A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹`.  A column `u[i]` beside a row `w[k]` is one of rank one.
* **A δ that all terms of a sum have is taken out of it**, and the sum is read again without it; so is a sum that
  stands in a product.  Terms without a δ join to one block where one of them is a block already.
* **What is left is a sum of maps.**  Products with a vector add up.  Systems are solved for

      diagonal plus low rank    (Δ + L Rᵀ)⁻¹ = Δ⁻¹ − Δ⁻¹ L (I + Rᵀ Δ⁻¹ L)⁻¹ Rᵀ Δ⁻¹        (Woodbury)
      Kronecker sums            (A ⊗ I + I ⊗ B)(v) = A v + v Bᵀ = c                      (Sylvester)

  and where the factors have as many entries as all of D (then adding up loses nothing); else `solve` refuses.
  A Kronecker sum of symmetric matrices, of any number of them, is solved in their eigenvectors: with `A = P α Pᵀ`
  and `B = Q β Qᵀ` it is `v = P w Qᵀ`, `w[i,j] = (Pᵀ c Q)[i,j] / (α[i] + β[j])`.  Two others: in Schur's
  triangular form.

`parts` are the pieces of which such maps are made, `finding` reads them off a derivative, `words` prints them;
`maps`, on `labelled` arrays, and `solving` are the same with numbers; `source` writes functions for them;
`operator` and `structure` are what a user holds in the hand.
"""
