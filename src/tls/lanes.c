#include "tls/lanes.h"

#include <stddef.h>

/* Built once for each of these; tls/meson.build. */
#ifdef LANES_IFMA
#include <immintrin.h>
#define lanes_private lanes_private_ifma
#define lanes_check lanes_check_ifma
#else
#define lanes_private lanes_private_portable
#define lanes_check lanes_check_portable
#endif

#define MASK ((UINT64_C(1) << LANES_LIMB_BITS) - 1)
#define PUBLIC_SQUARES 16 /* 65537 = 2^16 + 1 */

/* A limb of all lanes. */
typedef uint64_t vector __attribute__((vector_size(8 * LANES)));
typedef int64_t signed_vector __attribute__((vector_size(8 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));

/* ---------------------------------------------------------------- vectors */

#ifdef LANES_IFMA

/* Sums stay in registers only where their limbs have constant numbers. */
#define PRAGMA(text) _Pragma(#text)
#define UNROLL(times) PRAGMA(GCC unroll times)

/* sum + the low 52 bits of a * b */
static inline vector
add_low(vector sum, vector a, vector b)
{
	return (vector)_mm512_madd52lo_epu64((__m512i)sum, (__m512i)a,
	    (__m512i)b);
}

/* sum + the high 52 bits of a * b, which has 104 */
static inline vector
add_high(vector sum, vector a, vector b)
{
	return (vector)_mm512_madd52hi_epu64((__m512i)sum, (__m512i)a,
	    (__m512i)b);
}

bool
lanes_is_usable(void)
{
	return __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512ifma");
}

#else

/* Here that would be a million lines for the compiler. */
#define UNROLL(times)
#define SLOW __attribute__((noinline))

static SLOW vector
add_low(vector sum, vector a, vector b)
{
	for (size_t i = 0; i < LANES; i++)
		sum[i] += (uint64_t)((unsigned __int128)(a[i] & MASK) *
			      (b[i] & MASK)) &
		    MASK;
	return sum;
}

static SLOW vector
add_high(vector sum, vector a, vector b)
{
	for (size_t i = 0; i < LANES; i++)
		sum[i] += (uint64_t)(((unsigned __int128)(a[i] & MASK) *
					 (b[i] & MASK)) >>
		    LANES_LIMB_BITS);
	return sum;
}

#endif

static inline vector *
limbs(struct lanes *number)
{
	return (vector *)(void *)number->limb;
}

static inline const vector *
const_limbs(const struct lanes *number)
{
	return (const vector *)(const void *)number->limb;
}

/* ---------------------------------------------------------------- numbers */

/* Let each limb have its 52 bits, and the next one the rest; the highest limb
 * has none. */
static inline void
carry(vector *out, const vector *in)
{
	vector rest = { 0 };

	for (size_t i = 0; i < LANES_LIMBS; i++) {
		rest += in[i];
		out[i] = rest & MASK;
		rest >>= LANES_LIMB_BITS;
	}
}

/* The registers are for the sum: without this the compiler keeps factors in
 * them, and the sum on the stack. */
#define FORGET_MEMORY() __asm__ volatile("" : : : "memory")

/* What is being added up: two limbs more than a number has. */
#define SUM_LIMBS (LANES_LIMBS + 2)

/* sum += number * (low + high 2^52), number from limb first on */
static inline __attribute__((always_inline)) void
add_two(vector *sum, const vector *number, size_t first, vector low,
    vector high)
{
	UNROLL(20)
	for (size_t j = first; j < LANES_LIMBS; j++) {
		const vector limb = number[j];

		sum[j] = add_low(sum[j], limb, low);
		sum[j + 1] = add_high(sum[j + 1], limb, low);
		sum[j + 1] = add_low(sum[j + 1], limb, high);
		sum[j + 2] = add_high(sum[j + 2], limb, high);
	}
}

/*
 * Montgomery's reduction by two limbs: add as many primes as make the two
 * lowest limbs 0, and shift them out.
 */
static inline __attribute__((always_inline)) void
shift_out_two(vector *sum, const vector *prime, vector factor)
{
	vector low = add_low((vector) { 0 }, sum[0], factor), high;

	sum[0] = add_low(sum[0], prime[0], low);
	sum[1] = add_high(sum[1], prime[0], low);
	sum[1] = add_low(sum[1], prime[1], low);
	sum[2] = add_high(sum[2], prime[1], low);
	sum[1] += sum[0] >> LANES_LIMB_BITS;
	high = add_low((vector) { 0 }, sum[1], factor);
	sum[1] = add_low(sum[1], prime[0], high);
	sum[2] = add_high(sum[2], prime[0], high);
	sum[2] = add_low(sum[2], prime[1], high);
	sum[3] = add_high(sum[3], prime[1], high);
	sum[2] += sum[1] >> LANES_LIMB_BITS;
	add_two(sum, prime, 2, low, high);
	UNROLL(20)
	for (size_t j = 0; j < LANES_LIMBS; j++)
		sum[j] = sum[j + 2];
}

/*
 * out = a b / R mod prime, which is below prime + a b / R; out may be a or b.
 * A limb of the sum grows by at most eight times 2^52 in each of ten rounds, so
 * its 64 bits are enough.
 */
static void
multiply(struct lanes *out, const struct lanes *a, const struct lanes *b,
    const struct lanes_work *work)
{
	const vector *va = const_limbs(a), *vb = const_limbs(b);
	const vector factor = *(const vector *)(const void *)work->factor;
	vector sum[SUM_LIMBS] = { 0 };

	UNROLL(10)
	for (size_t i = 0; i < LANES_LIMBS; i += 2) {
		FORGET_MEMORY();
		add_two(sum, va, 0, vb[i], vb[i + 1]);
		FORGET_MEMORY();
		shift_out_two(sum, const_limbs(&work->prime), factor);
		sum[LANES_LIMBS] = sum[LANES_LIMBS + 1] = (vector) { 0 };
	}
	carry(limbs(out), sum);
}

/* Limb k of a number's square, not carried: each product of two different
 * limbs is there twice. */
static inline __attribute__((always_inline)) vector
square_limb(const vector *number, size_t k)
{
	const size_t first = k < LANES_LIMBS ? 0 : k + 1 - LANES_LIMBS;
	const size_t above = k <= LANES_LIMBS ? 0 : k - LANES_LIMBS;
	vector sum = { 0 };

	UNROLL(10)
	for (size_t i = first; 2 * i < k; i++)
		sum = add_low(sum, number[i], number[k - i]);
	UNROLL(10)
	for (size_t i = above; 2 * i + 1 < k; i++)
		sum = add_high(sum, number[i], number[k - 1 - i]);
	sum += sum;
	return k % 2 == 0 ? add_low(sum, number[k / 2], number[k / 2]) :
			    add_high(sum, number[k / 2], number[k / 2]);
}

#define TEN(k) \
	LIMB(k), LIMB(k + 1), LIMB(k + 2), LIMB(k + 3), LIMB(k + 4), \
	    LIMB(k + 5), LIMB(k + 6), LIMB(k + 7), LIMB(k + 8), LIMB(k + 9)
#define LIMB(k) square_limb(limb, k)

/* a = a a / R mod prime, with a quarter less to do than multiply() has */
static void
square(struct lanes *a, const struct lanes_work *work)
{
	const vector factor = *(const vector *)(const void *)work->factor;
	vector limb[LANES_LIMBS];

	UNROLL(20)
	for (size_t i = 0; i < LANES_LIMBS; i++)
		limb[i] = const_limbs(a)[i];
	const vector whole[2 * LANES_LIMBS + 2] = { TEN(0), TEN(10), TEN(20),
		TEN(30) };
	vector sum[SUM_LIMBS];

	UNROLL(22)
	for (size_t j = 0; j < SUM_LIMBS; j++)
		sum[j] = whole[j];
	UNROLL(10)
	for (size_t i = 0; i < LANES_LIMBS; i += 2) {
		FORGET_MEMORY();
		shift_out_two(sum, const_limbs(&work->prime), factor);
		sum[LANES_LIMBS] = whole[i + SUM_LIMBS];
		sum[LANES_LIMBS + 1] = whole[i + SUM_LIMBS + 1];
	}
	carry(limbs(a), sum);
}

/* number -= subtrahend where it is not below it, in each lane. */
static void
subtract_once(struct lanes *number, const struct lanes *subtrahend)
{
	vector *limb = limbs(number);
	const vector *other = const_limbs(subtrahend);
	vector difference[LANES_LIMBS], borrow = { 0 };

	for (size_t i = 0; i < LANES_LIMBS; i++) {
		difference[i] = limb[i] - other[i] - borrow;
		borrow = difference[i] >> 63;
		difference[i] &= MASK;
	}
	borrow = -borrow; /* all bits where it was below */
	for (size_t i = 0; i < LANES_LIMBS; i++)
		limb[i] = (limb[i] & borrow) | (difference[i] & ~borrow);
}

/* --------------------------------------------------------- exponentiation */

/* power[1] = a block in Montgomery's form: low R + high R R, mod prime. */
static void
reduce(struct lanes_work *work, const struct lanes *low,
    const struct lanes *high)
{
	vector *base = limbs(&work->power[1]);
	vector *other = limbs(&work->power[0]);

	multiply(&work->power[1], low, &work->square, work);
	multiply(&work->power[0], high, &work->cube, work);
	for (size_t i = 0; i < LANES_LIMBS; i++)
		base[i] += other[i];
	carry(base, base);
}

/* Out of Montgomery's form, and below prime: multiply() leaves at most prime. */
static void
leave_form(struct lanes *out, const struct lanes *number,
    struct lanes_work *work)
{
	work->picked = (struct lanes) { 0 };
	for (size_t i = 0; i < LANES; i++)
		work->picked.limb[0][i] = 1;
	multiply(out, number, &work->picked, work);
	subtract_once(out, &work->prime);
}

static void
make_powers(struct lanes_work *work)
{
	work->power[0] = work->one;
	for (size_t i = 2; i < LANES_POWERS; i++)
		multiply(&work->power[i], &work->power[i - 1], &work->power[1],
		    work);
}

/* The power that each lane's window names: all of them are read. */
static void
pick(struct lanes *out, const struct lanes_work *work, size_t window)
{
	const vector wanted =
	    __builtin_convertvector(*(const bytes *)(const void *)
					 work->window[window],
		vector);
	vector found[LANES_LIMBS] = { 0 };

	for (uint64_t i = 0; i < LANES_POWERS; i++) {
		const vector *power = const_limbs(&work->power[i]);
		/* All bits where wanted is i: then there is no bit that is
		 * not the same. */
		const vector differ = wanted ^ i;
		const vector mask = (vector) { 0 } - ((differ - 1) >> 63);

		UNROLL(20)
		for (size_t j = 0; j < LANES_LIMBS; j++)
			found[j] |= power[j] & mask;
	}
	for (size_t j = 0; j < LANES_LIMBS; j++)
		limbs(out)[j] = found[j];
}

/* low = block ^ exponent mod prime */
static void
exponentiate(struct lanes_work *work)
{
	reduce(work, &work->low, &work->high);
	make_powers(work);
	pick(&work->result, work, 0);
	for (size_t i = 1; i < LANES_WINDOWS; i++) {
		for (size_t j = 0; j < LANES_WINDOW_BITS; j++)
			square(&work->result, work);
		pick(&work->picked, work, i);
		multiply(&work->result, &work->result, &work->picked, work);
	}
	leave_form(&work->low, &work->result, work);
}

/* --------------------------------------------------------------- recombine */

/* What the lanes of q have, in those of p; 0 in those of q. */
static void
move_from_q(struct lanes *to, const struct lanes *from)
{
	for (size_t i = 0; i < LANES_LIMBS; i++)
		for (size_t j = 0; j < LANES_OPERATIONS; j++) {
			to->limb[i][j] = from->limb[i][j + LANES_OPERATIONS];
			to->limb[i][j + LANES_OPERATIONS] = 0;
		}
}

/* result = (m_p - m_q) q^-1 mod p, in the lanes of p.  m_q is below 2 p. */
static void
find_height(struct lanes_work *work)
{
	vector *difference = limbs(&work->picked);
	vector borrow = { 0 }; /* with its sign */

	for (size_t i = 0; i < LANES_LIMBS; i++) {
		vector limb = const_limbs(&work->low)[i] +
		    2 * const_limbs(&work->prime)[i] -
		    const_limbs(&work->of_q)[i] + borrow;

		borrow = (vector)((signed_vector)limb >> LANES_LIMB_BITS);
		difference[i] = limb & MASK;
	}
	multiply(&work->result, &work->picked, &work->inverse, work);
	subtract_once(&work->result, &work->prime);
}

/* low and high = m_q + result * q */
static void
recombine(struct lanes_work *work)
{
	const vector *height = const_limbs(&work->result);
	const vector *q = const_limbs(&work->picked);
	vector sum[2 * LANES_LIMBS] = { 0 };

	for (size_t i = 0; i < LANES_LIMBS; i++)
		sum[i] = const_limbs(&work->of_q)[i];
	move_from_q(&work->picked, &work->prime);
	for (size_t i = 0; i < LANES_LIMBS; i++)
		for (size_t j = 0; j < LANES_LIMBS; j++) {
			sum[i + j] = add_low(sum[i + j], height[i], q[j]);
			sum[i + j + 1] = add_high(sum[i + j + 1], height[i],
			    q[j]);
		}
	for (size_t i = 0; i + 1 < 2 * LANES_LIMBS; i++) {
		sum[i + 1] += sum[i] >> LANES_LIMB_BITS;
		sum[i] &= MASK;
	}
	for (size_t i = 0; i < LANES_LIMBS; i++) {
		limbs(&work->low)[i] = sum[i];
		limbs(&work->high)[i] = sum[i + LANES_LIMBS];
	}
}

void
lanes_private(struct lanes_work *work)
{
	exponentiate(work);
	move_from_q(&work->of_q, &work->low);
	find_height(work);
	recombine(work);
}

void
lanes_check(struct lanes_work *work)
{
	vector *differs = (vector *)(void *)work->differs;

	reduce(work, &work->low, &work->high);
	work->result = work->power[1];
	for (size_t i = 0; i < PUBLIC_SQUARES; i++)
		square(&work->result, work);
	multiply(&work->result, &work->result, &work->power[1], work);
	leave_form(&work->result, &work->result, work);
	reduce(work, &work->expected_low, &work->expected_high);
	leave_form(&work->of_q, &work->power[1], work);
	*differs = (vector) { 0 };
	for (size_t i = 0; i < LANES_LIMBS; i++)
		*differs |= const_limbs(&work->result)[i] ^
		    const_limbs(&work->of_q)[i];
}

#ifdef LANES_ALONE /* nothing else was built */
bool
lanes_is_usable(void)
{
	return false;
}

void
lanes_private_ifma(struct lanes_work *work)
{
	lanes_private_portable(work);
}

void
lanes_check_ifma(struct lanes_work *work)
{
	lanes_check_portable(work);
}
#endif
