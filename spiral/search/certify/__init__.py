"""Proven lower bounds on the number of weights that reach an accuracy.

``lines`` finds weights on pairs of points by linear programming, ``exact`` and
``halves`` find in integers what lines cross of them, ``pieces`` counts the lines that a
mask can make, ``prove`` puts both together, ``record`` stores the proof. ``verify`` and
the modules named after it check a record and share no code with these.

**The claim.** Let f: R² → R be the logit of a ReLU network with three hidden layers, in
real arithmetic. A point of class 1 is right if f > 0, a point of class 0 if f < 0; f =
0 is wrong for both. The recorded bound n for an accuracy means: no network with fewer
than n weights (biases are free) is right at so many points of the data set, whose
float32 coordinates are taken as exact numbers.

**1. A right pair is crossed by a line of the network.** f is continuous and piecewise
affine: the plane is a union of finitely many closed convex polygons with interior, on
each of which f equals an affine function, its *piece*. A line is *used* by f if it is
the zero set of a non-constant piece a and meets the polygon of a.

*Lemma 1.* If f(p) > 0 > f(q), a used line strictly separates p and q, and it meets the
segment pq in a point that lies in the polygon of its piece.
*Proof.* Let z be the first point of the segment, from p, with f(z) = 0. Finitely many
closed convex polygons cover the segment before z, so one holds a part of it that ends
in z. Its piece a is positive on that part and a(z) = 0. So a is not constant, and it is
affine along the line through p and q with its zero at z: positive at p. As f(q) < 0, z
is not q and lies between p and q, so a(q) < 0. ∎
A polygon on which f = 0 does no harm: z is where the segment enters it, and a is the
piece before. Nor does a point on a used line: strict separation excludes p and q.

**2. Weights on pairs bound what lines must cross.** Give pairs of points of opposite
class weights ≥ 0 with sum Y, so that the pairs of each point have weights of at most λ
together (its *load*). With at most E wrong points, the pairs that have a wrong end have
weights of at most λE together. All others are right, so the used lines cross (strictly
separate) pairs of weight

    needed = Y − λE  or more.

If C is at least what any one line crosses, a network needs needed / C lines or more
(this is the dual of the linear program that covers pairs by lines, with errors as
slack). If k parallel lines cross at most C_k, and the used lines are families of k_1,
k_2, … parallel lines, then Σ C_{k_i} ≥ needed. A mask whose networks use families that
cannot do this is ruled out.

**3. What lines cross is bounded in integers.** Coordinates are multiples of 2^-41, so
projections on integer directions are exact. Directions are cut into intervals between
integer vectors u and v. Every line is {x : w·x = t} where w is a convex combination of
neighbours u and v, up to its scale. As w·p lies between u·p and v·p, a line that
separates p and q has t in the interval that u·p, v·p, u·q and v·q span. Points are
taken in runs, whose intervals span those of their points, and t in cells of equal
width. What meets the cell of t is counted as crossed. So finitely many cells bound all
lines, ties included, and nothing depends on rounding.

One correction keeps this sharp. Let a run r have partners certainly left of it and
certainly right of it (at least a cell away), with weights L and R. Within a run points
carry equal parts of both. A line left of a point p of r cannot cross p's pairs on the
right, and a line right of p none on the left, so one line crosses at most max(L, R) of
the pairs of r. Where the cell of t meets the interval of r, both L and R were counted,
and min(L, R) is subtracted. A pair is never part of two such corrections in one cell,
since the intervals of its runs are a cell apart.

For k parallel lines dynamic programming goes through the cells from left to right; a
line in cell c adds what meets c but not the cell b of the line before. (What meets c
and an earlier line meets b, too.) The correction applies if b lies left of all left
partners of r, so that the line in c is the first near r; if b lies within r and c
reaches no further than its right partners, min(L, R) is added again, since both lines
together may cross all pairs of r. With more lines this only overstates: a subtraction
happens for r at most once, is undone if another line is near, and never for two runs
that share a pair, because the left partner would have been near already.

**4. The lines a mask can make.** On a polygon f is given by the active units of the
three layers. Let a *cell* be a set of units of layer 1 that are active together. In it
a unit of layer 2 is affine if it reads active units, else constant: then it is active
or not by its bias alone, everywhere. So for each choice of those signs (constants) and
each arrangement of cells the used lines are counted by the active units B of layer 2:

- f depends on B, on what B reads of the cell, and on layer 3; equal choices in two
  cells give the same function and the same lines.
- With B fixed, the units of layer 3 that read B are affine, and those that do not are
  constant. Where only units of layer 3 are not constant that read one and the same unit
  z of B and no other of B, f is a function of the scalar z with so many hinges, and its
  used lines are parallel: z equals a zero of that function. Every set of units of layer
  3 that together read more than one unit of B gives at most one line.
- Units of layer 2 that are functions of the same scalar s in a cell (they read the same
  single unit, or units that read the same single input): where only they are not
  constant, f is a function of s. Its used lines are parallel, and along s at most one
  more set of them is active than there are units. If one unit of layer 3 reads them, f
  is zero where its input has a fixed value ≥ 0, a function of s with a hinge per unit.

*Lemma 2.* Let h(s) = c + Σ v_i relu(w_i s + b_i) have n hinges. The zeros of its
non-constant pieces, each within its closed interval, are at most n + 1, and at most n
for n ≤ 2.
*Proof.* There are n + 1 intervals, each with one zero at most. For n = 1 one piece is
constant. For n = 2 three zeros at different places need three non-constant pieces, and
as h is continuous and zero in between, slopes of alternating signs (a zero at a hinge
would make the neighbour's zero the same). If the hinges open away from each other the
middle piece is constant; if both open to one side an outer piece is. If they open
towards each other and overlap, the slopes are l, l + r, r: l and r of one sign and l +
r of the other is impossible. ∎

Which cells occur: kinks of units that read the same single input are parallel, so along
it they switch one after the other, in any order; all other combinations are allowed.

**5. Parts of the plane.** A unit of layer 1 that reads a single input has its kink on a
line parallel to an axis. Cells where it is off lie on one side of it, those where it is
on lie on the other. By Lemma 1 a pair is crossed at a point of the segment that lies in
the polygon of the piece, so the families of the cells on one side cross only pairs that
reach to that side. Two such units cut the plane into four parts (three, if their kinks
are parallel; the fourth is then empty); what reaches a part reaches both halves that it
lies in. So what is crossed is at most the sum over the parts of what the families of
its cells cross of the pairs that reach it. The positions of kinks run through
intervals; in each, both sides are taken as large as the interval allows, and a unit may
be on at either side. A kink beyond all pairs, or that of a weight that is zero, does
what one in the outermost interval does. If for one choice of one or two units the sum
stays below needed for all positions, the mask is ruled out.

**6. All masks.** In any network a unit without active inputs is a constant, which
biases can replace, and a unit without effect can go. What remains has no more weights
and is a complete mask, or one that uses a single input, or constant. Constants cross
nothing. There are finitely many of each number of weights, and all are checked.
"""
