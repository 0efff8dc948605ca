// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of how accesses to registers are cut into widths, and of ranges
 * that meet (P44).
 */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../pci/private.h"

#define REGS		64

static const enum vfio_pci_io_width widths[] = {
	VFIO_PCI_IO_WIDTH_1, VFIO_PCI_IO_WIDTH_2,
	VFIO_PCI_IO_WIDTH_4, VFIO_PCI_IO_WIDTH_8,
};

static void expect_widest(struct kunit *test, u64 off, size_t count,
			  enum vfio_pci_io_width max)
{
	unsigned int got = vfio_pci_io_width(off, count, max);
	unsigned int width;

	for (width = 8; width > 1; width /= 2)
		if (width <= max && !(off % width) && width <= count)
			break;
	KUNIT_EXPECT_EQ_MSG(test, got, width, "%zu bytes at %llu, at most %u",
			    count, off, max);
}

static void accesses_are_as_wide_as_they_can_be(struct kunit *test)
{
	static const u64 bases[] = { 0, 0x1000, VFIO_PCI_OFFSET_MASK - 63 };
	unsigned int i, base;
	u64 off;
	size_t count;

	for (i = 0; i < ARRAY_SIZE(widths); i++)
		for (base = 0; base < ARRAY_SIZE(bases); base++)
			for (off = 0; off < 17; off++)
				for (count = 1; count < 18; count++)
					expect_widest(test, bases[base] + off,
						      count, widths[i]);
}

/* Registers made of memory: every byte gets where it belongs. */
static void every_byte_is_moved_once(struct kunit *test)
{
	u8 *regs = kunit_kmalloc(test, REGS, GFP_KERNEL);
	u8 *want = kunit_kmalloc(test, REGS, GFP_KERNEL);
	u64 bounce[REGS / 8];
	u8 *buf = (u8 *)bounce;
	unsigned int i, j, off, count;

	KUNIT_ASSERT_NOT_NULL(test, regs);
	KUNIT_ASSERT_NOT_NULL(test, want);
	for (j = 0; j < REGS; j++)
		buf[j] = 0x80 | j;

	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		for (off = 0; off < 16; off++) {
			for (count = 1; count <= 24; count++) {
				memset(regs, 0, REGS);
				memset(want, 0, REGS);
				memcpy(want + off, buf + off, count);
				vfio_pci_move_registers((void __iomem *)regs,
							widths[i], off,
							buf + off, count, true);
				KUNIT_EXPECT_EQ(test, 0,
						memcmp(regs, want, REGS));

				memset(want, 0, REGS);
				vfio_pci_move_registers((void __iomem *)regs,
							widths[i], off,
							want + off, count,
							false);
				KUNIT_EXPECT_EQ(test, 0,
						memcmp(regs, want, REGS));
			}
		}
	}
}

static void expect_meeting(struct kunit *test, loff_t buf, size_t buf_len,
			   loff_t reg, size_t reg_len)
{
	size_t common = 0, count = 0, in_reg = 0;
	loff_t first = -1, in_buf = 0;
	size_t i;
	bool met;

	for (i = 0; i < buf_len; i++) {
		loff_t at = buf + i;

		if (at < reg || at >= reg + (loff_t)reg_len)
			continue;
		if (first < 0)
			first = at;
		common++;
	}

	met = vfio_pci_core_range_intersect_range(buf, buf_len, reg, reg_len,
						  &in_buf, &count, &in_reg);
	KUNIT_EXPECT_EQ_MSG(test, met, common > 0, "[%lld %zu) [%lld %zu)",
			    buf, buf_len, reg, reg_len);
	if (!met || !common)
		return;
	KUNIT_EXPECT_EQ(test, count, common);
	KUNIT_EXPECT_EQ(test, buf + in_buf, first);
	KUNIT_EXPECT_EQ(test, reg + in_reg, first);
}

static void ranges_meet_where_they_share_bytes(struct kunit *test)
{
	loff_t buf, reg;
	size_t buf_len, reg_len;

	for (buf = 0; buf < 9; buf++)
		for (buf_len = 0; buf_len < 9; buf_len++)
			for (reg = 0; reg < 9; reg++)
				for (reg_len = 0; reg_len < 5; reg_len++)
					expect_meeting(test, buf, buf_len, reg,
						       reg_len);

	expect_meeting(test, LLONG_MAX - 8, 8, LLONG_MAX - 4, 4);
	expect_meeting(test, 0, 4, LLONG_MAX - 4, 4);
}

static struct kunit_case io_cases[] = {
	KUNIT_CASE(accesses_are_as_wide_as_they_can_be),
	KUNIT_CASE(every_byte_is_moved_once),
	KUNIT_CASE(ranges_meet_where_they_share_bytes),
	{}
};

static struct kunit_suite io_suite = {
	.name = "vfio_pci_io",
	.test_cases = io_cases,
};

kunit_test_suite(io_suite);
