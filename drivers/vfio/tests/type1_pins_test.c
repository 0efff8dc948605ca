// SPDX-License-Identifier: GPL-2.0-only
/* The table of pages that drivers hold, against a plain array. */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/prandom.h>

#include "type1/pins.h"

/* T37: neighbours are told apart, whatever part of a stretch is given back. */
static void a_part_is_given_back(struct kunit *test)
{
	static const unsigned long held[] = { 1, 2, 4, 7 };
	unsigned long first, last, i, pfn;
	struct pin_table table;
	struct pin_walk walk;

	for (first = 0; first <= 8; first++) {
		for (last = first; last <= 8; last++) {
			unsigned int left = 0;

			pin_table_init(&table);
			pin_walk_init(&walk, &table);
			for (i = 0; i < ARRAY_SIZE(held); i++)
				KUNIT_ASSERT_EQ(test, 0,
						pin_walk_add(&walk, held[i],
							     100 + held[i]));
			for (i = first; i <= last; i++)
				if (pin_walk_put(&walk, i, &pfn) == PIN_LAST)
					KUNIT_EXPECT_EQ(test, 100 + i, pfn);
			for (i = 0; i < ARRAY_SIZE(held); i++)
				left += held[i] < first || held[i] > last;
			KUNIT_EXPECT_EQ(test, left, table.npages);
			for (i = 0; i < ARRAY_SIZE(held); i++)
				KUNIT_EXPECT_EQ(test,
						held[i] < first || held[i] > last,
						pin_walk_has(&walk, held[i]));
			pin_table_destroy(&table);
		}
	}
}

static void a_count_has_an_end(struct kunit *test)
{
	struct pin_table table;
	struct pin_walk walk;
	unsigned long pfn;
	unsigned int i;

	pin_table_init(&table);
	pin_walk_init(&walk, &table);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			pin_walk_add(&walk, 0, 1UL << (BITS_PER_LONG - 1)));
	KUNIT_ASSERT_EQ(test, 0, pin_walk_add(&walk, 0, 5));
	for (i = 1; i < PIN_COUNT_MAX; i++)
		if (pin_walk_get(&walk, 0, &pfn))
			break;
	KUNIT_EXPECT_EQ(test, PIN_COUNT_MAX, i);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, pin_walk_get(&walk, 0, &pfn));
	for (i = 1; i < PIN_COUNT_MAX; i++)
		if (pin_walk_put(&walk, 0, &pfn) != PIN_HELD)
			break;
	KUNIT_EXPECT_EQ(test, PIN_COUNT_MAX, i);
	KUNIT_EXPECT_EQ(test, PIN_LAST, pin_walk_put(&walk, 0, &pfn));
	KUNIT_EXPECT_EQ(test, 5UL, pfn);
	KUNIT_EXPECT_EQ(test, PIN_NOT_THERE, pin_walk_put(&walk, 0, &pfn));
	KUNIT_EXPECT_EQ(test, -ENOENT, pin_walk_get(&walk, 0, &pfn));
	pin_table_destroy(&table);
}

static void the_last_page_there_is(struct kunit *test)
{
	const unsigned long last = ULONG_MAX;
	unsigned long index = 0, pfn;
	struct pin_table table;
	struct pin_walk walk;

	pin_table_init(&table);
	pin_walk_init(&walk, &table);
	KUNIT_ASSERT_EQ(test, 0, pin_walk_add(&walk, last, 0));
	KUNIT_EXPECT_TRUE(test, pin_walk_next(&walk, &index));
	KUNIT_EXPECT_EQ(test, last, index);
	KUNIT_EXPECT_EQ(test, PIN_LAST, pin_walk_put(&walk, last, &pfn));
	KUNIT_EXPECT_EQ(test, 0UL, pfn);
	index = 0;
	KUNIT_EXPECT_FALSE(test, pin_walk_next(&walk, &index));
	pin_table_destroy(&table);
}

#define MODEL_PAGES	600
#define MODEL_STEPS	40000

struct model {
	unsigned long pfn[MODEL_PAGES];
	unsigned int count[MODEL_PAGES];
	unsigned long npages;
};

static void compare(struct kunit *test, struct pin_table *table,
		    const struct model *model)
{
	unsigned long i, index = 0, seen = 0;
	struct pin_walk walk;

	pin_walk_init(&walk, table);
	for (i = 0; i < MODEL_PAGES; i++)
		KUNIT_ASSERT_EQ(test, model->count[i] > 0,
				pin_walk_has(&walk, i));
	for (; pin_walk_next(&walk, &index); index++, seen++)
		KUNIT_ASSERT_GT(test, model->count[index], 0);
	KUNIT_ASSERT_EQ(test, model->npages, seen);
	KUNIT_ASSERT_EQ(test, model->npages, table->npages);
}

static void step(struct kunit *test, struct rnd_state *rnd,
		 struct pin_walk *walk, struct model *model)
{
	const unsigned long i = prandom_u32_state(rnd) % MODEL_PAGES;
	unsigned long pfn = 0;
	enum pin_left left;

	if (prandom_u32_state(rnd) % 2) {
		if (pin_walk_get(walk, i, &pfn)) {
			KUNIT_ASSERT_EQ(test, 0, model->count[i]);
			model->pfn[i] = prandom_u32_state(rnd);
			KUNIT_ASSERT_EQ(test, 0,
					pin_walk_add(walk, i, model->pfn[i]));
			model->npages++;
		} else {
			KUNIT_ASSERT_EQ(test, model->pfn[i], pfn);
			KUNIT_ASSERT_GT(test, model->count[i], 0);
		}
		model->count[i]++;
		return;
	}

	left = pin_walk_put(walk, i, &pfn);
	switch (model->count[i]) {
	case 0:
		KUNIT_ASSERT_EQ(test, PIN_NOT_THERE, left);
		return;
	case 1:
		KUNIT_ASSERT_EQ(test, PIN_LAST, left);
		KUNIT_ASSERT_EQ(test, model->pfn[i], pfn);
		model->npages--;
		break;
	default:
		KUNIT_ASSERT_EQ(test, PIN_HELD, left);
		break;
	}
	model->count[i]--;
}

static void random_pins_match_an_array(struct kunit *test)
{
	struct rnd_state rnd;
	struct model *model;
	struct pin_table table;
	struct pin_walk walk;
	unsigned int i;

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);

	prandom_seed_state(&rnd, 37);
	pin_table_init(&table);
	pin_walk_init(&walk, &table);
	for (i = 0; i < MODEL_STEPS; i++) {
		step(test, &rnd, &walk, model);
		if (i % 1000 == 0)
			compare(test, &table, model);
	}
	pin_table_destroy(&table);
	KUNIT_EXPECT_EQ(test, 0UL, table.npages);
}

static struct kunit_case pins_cases[] = {
	KUNIT_CASE(a_part_is_given_back),
	KUNIT_CASE(a_count_has_an_end),
	KUNIT_CASE(the_last_page_there_is),
	KUNIT_CASE(random_pins_match_an_array),
	{}
};

static struct kunit_suite pins_suite = {
	.name = "vfio_type1_pins",
	.test_cases = pins_cases,
};

kunit_test_suite(pins_suite);

MODULE_DESCRIPTION("KUnit tests of the pages that drivers hold in type1 mappings");
MODULE_LICENSE("GPL");
