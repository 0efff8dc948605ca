// SPDX-License-Identifier: GPL-2.0-only
/* Streams as strangers write them: whole, cut, spoilt, and noise. */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/unaligned.h>

#include "stream.h"

#define VARIANT	2
#define ROUNDS	3000

/* All values are a state but those with a large first byte. */
struct state {
	u8 bytes[45];
};

static bool is_valid(const void *data, u32 variant)
{
	const struct state *state = data;

	return state->bytes[0] < 0xf0 && variant == VARIANT;
}

static const struct sample_format format = {
	.magic = 0x74736574,
	.version = 3,
	.size = sizeof(struct state),
	.is_valid = is_valid,
};

#define LENGTH	(3 * sizeof(struct sample_record) + \
		 sizeof(struct sample_ident) + sizeof(struct state))

static struct state nth_state(unsigned int nth)
{
	struct state state;

	memset(&state, nth % 0xf0, sizeof(state));
	return state;
}

/* What a device that was stopped gives. */
static void save(struct kunit *test, unsigned int nth, u8 *to)
{
	struct state state = nth_state(nth);
	struct sample_stream *stream;

	stream = sample_stream_save(&format, VARIANT, &state);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	sample_stream_finish(stream, &state);
	KUNIT_EXPECT_EQ(test, LENGTH, sample_stream_take(stream, to, LENGTH + 1));
	KUNIT_EXPECT_EQ(test, 0, sample_stream_take(stream, to, 1));
	sample_stream_end(stream);
}

/* Whether it is accepted; then @to is what was in it. */
static bool restore(struct kunit *test, const u8 *from, size_t size,
		    size_t step, struct state *to)
{
	const struct state *state;
	struct sample_stream *stream;
	size_t done = 0, part;
	int ret = 0;

	stream = sample_stream_restore(&format, VARIANT);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	while (done < size) {
		part = min(step, size - done);
		ret = sample_stream_give(stream, from + done, part);
		if (ret)
			KUNIT_EXPECT_EQ(test, -EINVAL, ret);
		done += part;
	}
	state = sample_stream_restored(stream);
	if (state)
		*to = *state;
	KUNIT_EXPECT_TRUE(test, !ret || !state);
	KUNIT_EXPECT_EQ(test, -ENODEV, sample_stream_give(stream, from, 1));
	sample_stream_end(stream);
	return state;
}

static bool is_nth(const struct state *state, unsigned int nth)
{
	struct state other = nth_state(nth);

	return !memcmp(state, &other, sizeof(other));
}

static void what_is_saved_is_restored(struct kunit *test)
{
	u8 bytes[LENGTH + 1];
	struct state state;
	size_t step;

	KUNIT_EXPECT_EQ(test, LENGTH, sample_stream_length(&format));
	save(test, 7, bytes);
	for (step = 1; step <= LENGTH; step++) {
		memset(&state, 0, sizeof(state));
		KUNIT_EXPECT_TRUE(test, restore(test, bytes, LENGTH, step,
						&state));
		KUNIT_EXPECT_TRUE(test, is_nth(&state, 7));
	}
}

static void what_is_cut_off_or_goes_on_is_refused(struct kunit *test)
{
	struct state state;
	u8 bytes[LENGTH + 9];
	size_t size;

	memset(bytes, 0, sizeof(bytes));
	save(test, 7, bytes);
	for (size = 0; size < sizeof(bytes); size++)
		KUNIT_EXPECT_EQ(test, size == LENGTH,
				restore(test, bytes, size, 5, &state));
}

static void what_is_spoilt_is_a_state_or_refused(struct kunit *test)
{
	const size_t begin = 2 * sizeof(struct sample_record) +
			     sizeof(struct sample_ident);
	struct state state;
	u8 bytes[LENGTH];
	size_t at;
	int bit;
	bool ok;

	for (at = 0; at < LENGTH; at++) {
		for (bit = 0; bit < 8; bit++) {
			save(test, 0x81, bytes);
			bytes[at] ^= BIT(bit);
			ok = restore(test, bytes, LENGTH, 1000, &state);
			if (at < begin || at >= begin + sizeof(state))
				KUNIT_EXPECT_FALSE(test, ok);
			else if (at > begin)
				KUNIT_EXPECT_TRUE(test, ok);
			else
				KUNIT_EXPECT_EQ(test, bytes[at] < 0xf0, ok);
		}
	}
}

/* One byte more or less than a record of that type has, and all else as it was. */
static void records_are_as_long_as_their_type(struct kunit *test)
{
	const size_t head = sizeof(struct sample_record);
	const size_t lengths[] = {
		sizeof(struct sample_ident), sizeof(struct state), 0,
	};
	struct state state;
	u8 bytes[LENGTH + 1];
	size_t at = 0, next;
	int i, by;

	for (i = 0; i < ARRAY_SIZE(lengths); i++, at = next) {
		next = at + head + lengths[i];
		for (by = lengths[i] ? -1 : 0; by <= 1; by++) {
			memset(bytes, 0, sizeof(bytes));
			save(test, 7, bytes);
			memmove(bytes + next + by, bytes + next, LENGTH - next);
			put_unaligned_le32(lengths[i] + by, bytes + at +
					   offsetof(struct sample_record, length));
			KUNIT_EXPECT_EQ(test, !by,
					restore(test, bytes, LENGTH + by, 9,
						&state));
		}
	}
}

static void noise_is_refused(struct kunit *test)
{
	u8 *bytes = kunit_kzalloc(test, 8192, GFP_KERNEL);
	struct rnd_state rnd;
	struct state state;
	size_t size;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	prandom_seed_state(&rnd, 4711);
	for (i = 0; i < ROUNDS; i++) {
		size = prandom_u32_state(&rnd) % 8192;
		prandom_bytes_state(&rnd, bytes, size);
		/* Half of it gets past the beginning. */
		if (i % 2 && size > LENGTH) {
			save(test, i, bytes);
			prandom_bytes_state(&rnd, bytes + LENGTH - 8 -
					    i % sizeof(state), 8);
			bytes[LENGTH - 1] |= 1;
		}
		KUNIT_EXPECT_FALSE(test, restore(test, bytes, size,
						 1 + i % 999, &state));
	}
}

/* A device that runs tells its state again and again. */
static void states_nobody_read_take_no_room(struct kunit *test)
{
	struct state state = nth_state(1);
	struct sample_stream *stream, *other;
	const struct state *restored;
	u8 bytes[LENGTH];
	struct rnd_state rnd;
	ssize_t size;
	int i;

	prandom_seed_state(&rnd, 1147);
	stream = sample_stream_save(&format, VARIANT, &state);
	other = sample_stream_restore(&format, VARIANT);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	KUNIT_ASSERT_NOT_NULL(test, other);
	for (i = 0; i < ROUNDS; i++) {
		state = nth_state(i);
		sample_stream_update(stream, &state);
		if (i % 3)
			continue;
		size = sample_stream_take(stream, bytes,
					  prandom_u32_state(&rnd) % LENGTH);
		KUNIT_EXPECT_GE(test, size, 0);
		KUNIT_EXPECT_EQ(test, 0, sample_stream_give(other, bytes, size));
	}
	state = nth_state(77);
	sample_stream_finish(stream, &state);
	while ((size = sample_stream_take(stream, bytes, 10)) > 0)
		KUNIT_EXPECT_EQ(test, 0, sample_stream_give(other, bytes, size));
	KUNIT_EXPECT_EQ(test, 0, size);
	restored = sample_stream_restored(other);
	KUNIT_ASSERT_NOT_NULL(test, restored);
	KUNIT_EXPECT_TRUE(test, is_nth(restored, 77));
	sample_stream_end(stream);
	sample_stream_end(other);
}

static void nothing_now_is_not_the_end(struct kunit *test)
{
	struct state state = nth_state(1);
	struct sample_stream *stream;
	u8 bytes[LENGTH];

	stream = sample_stream_save(&format, VARIANT, &state);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	KUNIT_EXPECT_LT(test, 0, sample_stream_take(stream, bytes, LENGTH));
	KUNIT_EXPECT_EQ(test, -ENOMSG, sample_stream_take(stream, bytes, 1));
	sample_stream_update(stream, &state);
	KUNIT_EXPECT_EQ(test, 1, sample_stream_take(stream, bytes, 1));
	sample_stream_end(stream);
}

static struct kunit_case stream_cases[] = {
	KUNIT_CASE(what_is_saved_is_restored),
	KUNIT_CASE(what_is_cut_off_or_goes_on_is_refused),
	KUNIT_CASE(what_is_spoilt_is_a_state_or_refused),
	KUNIT_CASE(records_are_as_long_as_their_type),
	KUNIT_CASE(noise_is_refused),
	KUNIT_CASE(states_nobody_read_take_no_room),
	KUNIT_CASE(nothing_now_is_not_the_end),
	{}
};

static struct kunit_suite stream_suite = {
	.name = "vfio_sample_stream",
	.test_cases = stream_cases,
};

kunit_test_suites(&stream_suite);
