// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOVA arithmetic: what a user may ask for at the edges of the address space,
 * and ranges against a plain bitmap.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/prandom.h>

#include "type1/iova.h"

#define PG		((u64)PAGE_SIZE)
#define TOP		((u64)ULONG_MAX)

struct span_case {
	const char *name;
	u64 start;
	u64 size;
	u64 align;
	enum type1_rule rule;
	u64 last;
};

static const struct span_case span_cases[] = {
	{ "first page", 0, PG, PG, TYPE1_RULE_NONE, PG - 1 },
	{ "last page", TOP - PG + 1, PG, PG, TYPE1_RULE_NONE, TOP },
	{ "two pages from the last", TOP - PG + 1, 2 * PG, PG, TYPE1_RULE_WRAP },
	{ "all but the first page", PG, TOP - PG + 1, PG, TYPE1_RULE_NONE, TOP },
	{ "all but the last page", 0, TOP - PG + 1, PG, TYPE1_RULE_NONE, TOP - PG },
	{ "one page too many", 2 * PG, TOP - PG + 1, PG, TYPE1_RULE_WRAP },
	{ "nothing", PG, 0, PG, TYPE1_RULE_EMPTY },
	{ "nothing at all", 0, 0, PG, TYPE1_RULE_EMPTY },
	{ "start by a byte", 1, PG, PG, TYPE1_RULE_ALIGN },
	{ "size by a byte", 0, PG + 1, PG, TYPE1_RULE_ALIGN },
	{ "both by a byte", PG - 1, PG + 1, PG, TYPE1_RULE_ALIGN },
	{ "everything but a byte", 0, TOP, PG, TYPE1_RULE_ALIGN },
	{ "wraps by bytes", TOP, 2, 1, TYPE1_RULE_WRAP },
	{ "the last byte", TOP, 1, 1, TYPE1_RULE_NONE, TOP },
	{ "half", TOP / 2 + 1, TOP / 2 + 1, PG, TYPE1_RULE_NONE, TOP },
	{ "half and a page", TOP / 2 + 1, TOP / 2 + 1 + PG, PG, TYPE1_RULE_WRAP },
	{ "large pages", 0x20000, 0x10000, 0x10000, TYPE1_RULE_NONE, 0x2ffff },
	{ "small start for large pages", 0x21000, 0x10000, 0x10000, TYPE1_RULE_ALIGN },
	{ "small size for large pages", 0x20000, 0x11000, 0x10000, TYPE1_RULE_ALIGN },
	{ "no page size in common", 0x20000, 0x10000, 0, TYPE1_RULE_ALIGN },
#if BITS_PER_LONG == 32
	{ "wide start", 1ULL << 32, PG, PG, TYPE1_RULE_WIDTH },
	{ "wide size", 0, 1ULL << 32, PG, TYPE1_RULE_WIDTH },
#endif
};

static void span_case_name(const struct span_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(span, span_cases, span_case_name);

/* T02, T03, T04 */
static void spans_are_made_or_refused_by_the_rule(struct kunit *test)
{
	const struct span_case *c = test->param_value;
	enum type1_rule why = TYPE1_RULE_NONE;
	struct iova_span span = {};
	int ret;

	ret = iova_span_make(c->start, c->size, c->align, &span, &why);
	KUNIT_EXPECT_EQ(test, ret, c->rule ? -EINVAL : 0);
	KUNIT_EXPECT_EQ(test, why, c->rule);
	if (ret)
		return;
	KUNIT_EXPECT_EQ(test, (u64)span.first, c->start);
	KUNIT_EXPECT_EQ(test, (u64)span.last, c->last);
	KUNIT_EXPECT_EQ(test, (u64)iova_span_pages(span),
			(c->size - 1) / PAGE_SIZE + 1);
}

static void fresh_ranges_hold_the_whole_address_space(struct kunit *test)
{
	const struct iova_span all = { 0, ULONG_MAX };
	struct iova_ranges ranges;

	KUNIT_ASSERT_EQ(test, 0, iova_ranges_init(&ranges));
	KUNIT_EXPECT_EQ(test, ranges.nr, 1U);
	KUNIT_EXPECT_TRUE(test, iova_ranges_contain(&ranges, all));
	iova_ranges_destroy(&ranges);
	KUNIT_EXPECT_FALSE(test, iova_ranges_contain(&ranges, all));
}

static bool holds(const struct iova_ranges *ranges, unsigned long first,
		  unsigned long last)
{
	const struct iova_span span = { first, last };

	return iova_ranges_contain(ranges, span);
}

static int exclude(struct iova_ranges *ranges, unsigned long first,
		   unsigned long last)
{
	const struct iova_span hole = { first, last };

	return iova_ranges_exclude(ranges, hole);
}

/* T28: an aperture of 39 bits with the interrupt window of x86 in it. */
static void msi_window_splits_the_aperture(struct kunit *test)
{
	const struct iova_span aperture = { 0, (1UL << 31) * 2 - 1 };
	const struct iova_span msi = { 0xfee00000, 0xfeefffff };
	struct iova_ranges ranges;

	KUNIT_ASSERT_EQ(test, 0, iova_ranges_init(&ranges));
	iova_ranges_clip(&ranges, aperture);
	KUNIT_ASSERT_EQ(test, 0, iova_ranges_exclude(&ranges, msi));
	KUNIT_ASSERT_EQ(test, ranges.nr, 2U);
	KUNIT_EXPECT_EQ(test, ranges.span[0].last, 0xfedfffffUL);
	KUNIT_EXPECT_EQ(test, ranges.span[1].first, 0xfef00000UL);

	KUNIT_EXPECT_TRUE(test, holds(&ranges, 0xfedff000, 0xfedfffff));
	KUNIT_EXPECT_FALSE(test, holds(&ranges, 0xfedff000, 0xfee00000));
	KUNIT_EXPECT_FALSE(test, holds(&ranges, 0xfee00000, 0xfee00fff));
	/* Over the window from one side to the other. */
	KUNIT_EXPECT_FALSE(test, holds(&ranges, 0xfed00000, 0xfeffffff));
	KUNIT_EXPECT_TRUE(test, holds(&ranges, 0xfef00000, 0xfef00fff));
	iova_ranges_destroy(&ranges);
}

static void holes_at_both_ends_leave_the_middle(struct kunit *test)
{
	struct iova_ranges ranges;

	KUNIT_ASSERT_EQ(test, 0, iova_ranges_init(&ranges));
	KUNIT_ASSERT_EQ(test, 0, exclude(&ranges, 0, 0));
	KUNIT_ASSERT_EQ(test, 0, exclude(&ranges, ULONG_MAX, ULONG_MAX));
	KUNIT_ASSERT_EQ(test, ranges.nr, 1U);
	KUNIT_EXPECT_EQ(test, ranges.span[0].first, 1UL);
	KUNIT_EXPECT_EQ(test, ranges.span[0].last, ULONG_MAX - 1);

	KUNIT_ASSERT_EQ(test, 0, exclude(&ranges, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, ranges.nr, 0U);
	iova_ranges_destroy(&ranges);
}

#define MODEL_BITS	96U
#define MODEL_ROUNDS	60
#define MODEL_STEPS	24

static struct iova_span random_span(struct rnd_state *rnd, unsigned long base)
{
	unsigned long a = prandom_u32_state(rnd) % MODEL_BITS;
	unsigned long b = prandom_u32_state(rnd) % MODEL_BITS;

	/* Mostly short, so that many ranges come to be. */
	if (prandom_u32_state(rnd) % 4)
		b = min(a + b % 4, (unsigned long)MODEL_BITS - 1);
	return (struct iova_span){ base + min(a, b), base + max(a, b) };
}

static void expect_model(struct kunit *test, const struct iova_ranges *ranges,
			 const unsigned long *model, unsigned long base)
{
	unsigned int first, last, i;

	for (i = 0; i + 1 < ranges->nr; i++)
		KUNIT_ASSERT_LT(test, ranges->span[i].last,
				ranges->span[i + 1].first);

	for (first = 0; first < MODEL_BITS; first++) {
		bool is_in = true;

		for (last = first; last < MODEL_BITS; last++) {
			const struct iova_span span = { base + first, base + last };

			is_in = is_in && test_bit(last, model);
			if (iova_ranges_contain(ranges, span) != is_in) {
				KUNIT_FAIL(test, "%#lx..%#lx: expected %d",
					   span.first, span.last, is_in);
				return;
			}
		}
	}
}

static void each_hole_makes_a_range_more(struct kunit *test)
{
	const unsigned int nr = 100;
	struct iova_ranges ranges;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, iova_ranges_init(&ranges));
	for (i = 1; i <= nr; i++) {
		const unsigned long at = i * 2 * PAGE_SIZE;
		const struct iova_span hole = { at, at + PAGE_SIZE - 1 };

		KUNIT_ASSERT_EQ(test, 0, iova_ranges_exclude(&ranges, hole));
		KUNIT_ASSERT_EQ(test, i + 1, ranges.nr);
	}

	for (i = 0; i <= nr; i++) {
		const unsigned long first = i ? (i * 2 + 1) * PAGE_SIZE : 0;
		const unsigned long last = i < nr ? (i + 1) * 2 * PAGE_SIZE - 1 :
						    ULONG_MAX;

		KUNIT_EXPECT_EQ(test, first, ranges.span[i].first);
		KUNIT_EXPECT_EQ(test, last, ranges.span[i].last);
	}
	iova_ranges_destroy(&ranges);
}

/*
 * Ranges that touch may be told as one or as two, but excluding never leaves
 * such, so that contain() must agree with the bitmap on every span.
 */
static void random_ranges_agree_with_a_bitmap(struct kunit *test)
{
	const unsigned long bases[] = { 0, 1UL << 20, ULONG_MAX - MODEL_BITS + 1 };
	struct rnd_state rnd;
	unsigned int round, step, i;

	prandom_seed_state(&rnd, 0x7157);
	for (round = 0; round < MODEL_ROUNDS; round++) {
		const unsigned long base = bases[round % ARRAY_SIZE(bases)];
		const struct iova_span all = { base, base + MODEL_BITS - 1 };
		DECLARE_BITMAP(model, MODEL_BITS);
		struct iova_ranges ranges;

		KUNIT_ASSERT_EQ(test, 0, iova_ranges_init(&ranges));
		iova_ranges_clip(&ranges, all);
		bitmap_fill(model, MODEL_BITS);

		for (step = 0; step < MODEL_STEPS; step++) {
			struct iova_span span = random_span(&rnd, base);

			if (prandom_u32_state(&rnd) % 8) {
				KUNIT_ASSERT_EQ(test, 0,
						iova_ranges_exclude(&ranges, span));
				for (i = span.first - base; i <= span.last - base; i++)
					clear_bit(i, model);
			} else if (span.last - span.first > MODEL_BITS / 4) {
				iova_ranges_clip(&ranges, span);
				for (i = 0; i < MODEL_BITS; i++)
					if (i < span.first - base || i > span.last - base)
						clear_bit(i, model);
			}
		}
		expect_model(test, &ranges, model, base);
		iova_ranges_destroy(&ranges);
	}
}

static void page_sizes_below_the_cpus_are_folded(struct kunit *test)
{
	const u64 large = SZ_2M | SZ_1G;

	KUNIT_EXPECT_EQ(test, iova_pgsizes_fold(PG | large), PG | large);
	KUNIT_EXPECT_EQ(test, iova_pgsizes_fold(PG / 2 | large), PG | large);
	KUNIT_EXPECT_EQ(test, iova_pgsizes_fold(PG / 2 | PG | large), PG | large);
	KUNIT_EXPECT_EQ(test, iova_pgsizes_fold(large), large);
	KUNIT_EXPECT_EQ(test, iova_pgsizes_fold(0), 0ULL);
	/* An IOMMU that takes every power of two. */
	KUNIT_EXPECT_EQ(test, iova_pgsizes_fold(U64_MAX), ~(PG - 1));
}

static struct kunit_case type1_iova_cases[] = {
	KUNIT_CASE_PARAM(spans_are_made_or_refused_by_the_rule, span_gen_params),
	KUNIT_CASE(fresh_ranges_hold_the_whole_address_space),
	KUNIT_CASE(msi_window_splits_the_aperture),
	KUNIT_CASE(holes_at_both_ends_leave_the_middle),
	KUNIT_CASE(each_hole_makes_a_range_more),
	KUNIT_CASE(random_ranges_agree_with_a_bitmap),
	KUNIT_CASE(page_sizes_below_the_cpus_are_folded),
	{}
};

static struct kunit_suite type1_iova_suite = {
	.name = "vfio_type1_iova",
	.test_cases = type1_iova_cases,
};

kunit_test_suite(type1_iova_suite);

MODULE_LICENSE("GPL");
