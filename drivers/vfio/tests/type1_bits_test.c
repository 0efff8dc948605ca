// SPDX-License-Identifier: GPL-2.0-only
/* Strings of bits taken for a user's bitmap, against a plain model of bools. */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "type1/bits.h"

#define PAGES		1024U
#define WORDS		(PAGES / BITS_PER_LONG + 4)
#define MAX_ORDER	5U

struct model {
	DECLARE_BITMAP(string, PAGES);
	bool page[PAGES];
	unsigned long user[WORDS];
	bool bit[WORDS * BITS_PER_LONG];
	unsigned long out[WORDS];
};

static void scatter(struct rnd_state *rnd, struct model *m)
{
	/* Sparse, dense and anything between. */
	const unsigned int density = prandom_u32_state(rnd) % 5;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		m->page[i] = prandom_u32_state(rnd) % 4 < density;
		__assign_bit(i, m->string, m->page[i]);
	}
	for (i = 0; i < ARRAY_SIZE(m->bit); i++) {
		m->bit[i] = prandom_u32_state(rnd) & 1;
		__assign_bit(i, m->user, m->bit[i]);
	}
}

/* What a user's bitmap is made of by whoever copies words and merges edges. */
static void put(struct model *m, const struct bits_part *part)
{
	const unsigned long first = bits_first(part);
	const unsigned long count = bits_count(part);
	const unsigned long base = first / BITS_PER_LONG;
	unsigned long word;

	for (word = base; word <= (first + count - 1) / BITS_PER_LONG; word++) {
		const unsigned long mask = bits_edge_mask(first, count, word);

		m->user[word] &= ~mask;
		m->user[word] |= m->out[word - base] & mask;
	}
}

static void put_model(struct model *m, const struct bits_part *part)
{
	unsigned long i;

	for (i = 0; i < part->npages; i++)
		m->bit[(part->to + i) >> part->order] = false;
	for (i = 0; i < part->npages; i++)
		if (m->page[part->from + i])
			m->bit[(part->to + i) >> part->order] = true;
}

static void expect_same(struct kunit *test, const struct model *m,
			const struct bits_part *part)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m->bit); i++)
		if (test_bit(i, m->user) != m->bit[i])
			break;
	KUNIT_ASSERT_EQ_MSG(test, i, ARRAY_SIZE(m->bit),
			    "from %lu to %lu npages %lu order %u", part->from,
			    part->to, part->npages, part->order);
}

static void random_part(struct rnd_state *rnd, struct bits_part *part)
{
	part->order = prandom_u32_state(rnd) % (MAX_ORDER + 1);
	/* Mostly the page size is the CPU's; often both begin alike. */
	if (prandom_u32_state(rnd) & 1)
		part->order = 0;
	part->from = prandom_u32_state(rnd) % PAGES;
	part->to = prandom_u32_state(rnd) & 1 ?
		   part->from % BITS_PER_LONG : prandom_u32_state(rnd) % 150;
	part->npages = 1 + prandom_u32_state(rnd) % (PAGES - part->from);
}

static void parts_are_taken_as_they_are(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&rnd, 5);
	for (i = 0; i < 4000; i++) {
		struct bits_part part;

		if (i % 16 == 0)
			scatter(&rnd, m);
		random_part(&rnd, &part);
		bits_extract(m->out, m->string, &part);
		put(m, &part);
		put_model(m, &part);
		expect_same(test, m, &part);
	}
}

/* Piece by piece through a small buffer comes out as the whole does. */
static void pieces_make_up_the_whole(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&rnd, 6);
	for (i = 0; i < 2000; i++) {
		const unsigned long room = (2 + prandom_u32_state(&rnd) % 4) *
					   BITS_PER_LONG;
		struct bits_part whole, part;
		unsigned long done = 0;

		if (i % 16 == 0)
			scatter(&rnd, m);
		random_part(&rnd, &whole);
		put_model(m, &whole);
		while (done < whole.npages) {
			part = whole;
			part.from += done;
			part.to += done;
			part.npages -= done;
			bits_limit(&part, room);
			KUNIT_ASSERT_GT(test, part.npages, 0);
			KUNIT_ASSERT_LE(test, part.npages, whole.npages - done);
			KUNIT_ASSERT_LE(test, bits_first(&part) % BITS_PER_LONG +
					      bits_count(&part), room);
			bits_extract(m->out, m->string, &part);
			put(m, &part);
			done += part.npages;
		}
		expect_same(test, m, &whole);
	}
}

static void nothing_behind_the_buffer_is_written(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&rnd, 7);
	scatter(&rnd, m);
	for (i = 0; i < 2000; i++) {
		struct bits_part part;
		unsigned long words;

		random_part(&rnd, &part);
		words = BITS_TO_LONGS(bits_first(&part) % BITS_PER_LONG +
				      bits_count(&part));
		memset(m->out, 0x5a, sizeof(m->out));
		bits_extract(m->out, m->string, &part);
		KUNIT_ASSERT_LT(test, words, WORDS);
		KUNIT_ASSERT_NULL(test, memchr_inv(m->out + words, 0x5a,
						   sizeof(m->out) -
						   words * sizeof(long)));
	}
}

static void edges_are_the_run_s_own_bits(struct kunit *test)
{
	unsigned long first, count, bit;

	for (first = 0; first < 2 * BITS_PER_LONG; first++) {
		for (count = 1; count < 2 * BITS_PER_LONG; count += 7) {
			unsigned long mask[5] = {};
			unsigned long word;

			for (word = first / BITS_PER_LONG;
			     word <= (first + count - 1) / BITS_PER_LONG; word++)
				mask[word] = bits_edge_mask(first, count, word);
			for (bit = 0; bit < 5 * BITS_PER_LONG; bit++)
				if (test_bit(bit, mask) !=
				    (bit >= first && bit < first + count))
					break;
			KUNIT_ASSERT_EQ_MSG(test, bit, 5 * BITS_PER_LONG,
					    "first %lu count %lu", first, count);
		}
	}
}

static struct kunit_case bits_cases[] = {
	KUNIT_CASE_SLOW(parts_are_taken_as_they_are),
	KUNIT_CASE_SLOW(pieces_make_up_the_whole),
	KUNIT_CASE(nothing_behind_the_buffer_is_written),
	KUNIT_CASE(edges_are_the_run_s_own_bits),
	{}
};

static struct kunit_suite bits_suite = {
	.name = "vfio_type1_bits",
	.test_cases = bits_cases,
};

kunit_test_suite(bits_suite);

MODULE_DESCRIPTION("KUnit tests of the dirty bits of type1 mappings");
MODULE_LICENSE("GPL");
