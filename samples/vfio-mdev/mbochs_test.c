// SPDX-License-Identifier: GPL-2.0-only
/* The registers of mbochs: whatever a guest writes, a picture lies in its memory. */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "mbochs.h"

#define ROUNDS	50000

static void put_dispi(struct mbochs_display *display, unsigned int index,
		      u16 value)
{
	mbochs_display_write(display, MBOCHS_DISPI + 2 * index, 2, value);
}

static void a_picture_lies_in_memory(struct kunit *test)
{
	static const u32 sizes[] = { SZ_4M, SZ_16M, SZ_64M };
	struct mbochs_display *display;
	struct mbochs_mode mode;
	struct rnd_state rnd;
	int i, n, shown = 0;
	u32 r;

	display = kunit_kzalloc(test, sizeof(*display), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, display);
	prandom_seed_state(&rnd, 1111);
	for (i = 0; i < ROUNDS; i++) {
		u32 size = sizes[i % ARRAY_SIZE(sizes)];

		mbochs_display_reset(display, size);
		for (n = 0; n < MBOCHS_DISPI_COUNT; n++) {
			r = prandom_u32_state(&rnd);
			/* Small values often, any sometimes. */
			put_dispi(display, n, r >> 16 >> (r % 8));
		}
		if (i % 2) {
			put_dispi(display, 3, 32);
			put_dispi(display, 4, 1);
			put_dispi(display, 8, 0);
			put_dispi(display, 9, r % 3 ? 0 : 1024);
		}
		mode = mbochs_display_mode(display, size);
		if (!mode.width)
			continue;
		shown++;
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(mode.start));
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(mode.size));
		KUNIT_EXPECT_LE(test, (u64)mode.start + mode.size, (u64)size);
		KUNIT_EXPECT_LE(test, (u64)mode.stride * mode.height,
				(u64)mode.size);
		KUNIT_EXPECT_LE(test, mode.width * 4, mode.stride);
	}
	KUNIT_EXPECT_GT(test, shown, ROUNDS / 100);
}

static void every_register_at_every_width(struct kunit *test)
{
	struct mbochs_display *display;
	unsigned int width;
	u32 offset;

	display = kunit_kzalloc(test, sizeof(*display), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, display);
	mbochs_display_reset(display, SZ_4M);
	for (width = 1; width <= 4; width *= 2) {
		for (offset = 0; offset < MBOCHS_REGISTERS; offset += width) {
			mbochs_display_write(display, offset, width, ~0U);
			mbochs_display_read(display, offset, width);
		}
		for (offset = 0; offset < MBOCHS_EDID_REGION; offset += width) {
			mbochs_edid_write(display, offset, width, ~0U);
			mbochs_edid_read(display, offset, width);
		}
	}
	/* What is fixed is as it was. */
	KUNIT_EXPECT_EQ(test, 0xb0c5,
			mbochs_display_read(display, MBOCHS_DISPI, 2));
	KUNIT_EXPECT_EQ(test, SZ_4M / SZ_64K,
			mbochs_display_read(display, MBOCHS_DISPI + 20, 2));
	KUNIT_EXPECT_LE(test, display->edid_size, MBOCHS_EDID_MAX);
}

static struct kunit_case mbochs_cases[] = {
	KUNIT_CASE(a_picture_lies_in_memory),
	KUNIT_CASE(every_register_at_every_width),
	{}
};

static struct kunit_suite mbochs_suite = {
	.name = "vfio_sample_mbochs",
	.test_cases = mbochs_cases,
};

kunit_test_suites(&mbochs_suite);
