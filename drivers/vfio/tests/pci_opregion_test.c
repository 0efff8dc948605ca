// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the OpRegion that users of Intel graphics read. */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../pci/opregion.h"

#define ADDR		0x7a000000ULL
#define VBT_LEN		6000

struct opregion_case {
	const char *what;
	u16 version;
	u32 mboxes;
	u64 rvda;
	u32 rvds;
	u64 at;			/* of the table, 0 for none */
};

static void fill(u8 *base, u16 version, u32 mboxes, u64 rvda, u32 rvds)
{
	unsigned int i;

	for (i = 0; i < VFIO_PCI_OPREGION_SIZE; i++)
		base[i] = i * 7 + i / 256;
	memcpy(base, "IntelGraphicsMem", 16);
	put_unaligned_le32(8, base + 0x10);
	put_unaligned_le16(version, base + 0x16);
	put_unaligned_le32(mboxes, base + 0x58);
	put_unaligned_le64(rvda, base + 0x3ba);
	put_unaligned_le32(rvds, base + 0x3c2);
}

static u8 *new_base(struct kunit *test)
{
	u8 *base = kunit_kmalloc(test, VFIO_PCI_OPREGION_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, base);
	fill(base, 0x200, 0x1f, 0, 0);
	return base;
}

static void signature_and_size_are_checked(struct kunit *test)
{
	u8 *base = new_base(test);
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, vfio_pci_opregion_is_valid(base));
	for (i = 0; i < 20; i++) {
		base[i] ^= 1;
		KUNIT_EXPECT_FALSE(test, vfio_pci_opregion_is_valid(base));
		base[i] ^= 1;
	}
	memset(base, 0xff, VFIO_PCI_OPREGION_SIZE);
	KUNIT_EXPECT_FALSE(test, vfio_pci_opregion_is_valid(base));
}

static const struct opregion_case opregion_cases[] = {
	{ "2.0, physical", 0x200, 4, 0x7b000000, 100, 0x7b000000 },
	{ "2.1, behind it", 0x201, 4, 0x2000, 100, ADDR + 0x2000 },
	{ "2.1, further", 0x201, 4, 0x5000, 100, ADDR + 0x5000 },
	{ "3.0", 0x300, 4, 0x2000, 100, ADDR + 0x2000 },
	{ "largest", 0x201, 4, 0x2000, VFIO_PCI_VBT_MAX, ADDR + 0x2000 },
	{ "1.9", 0x109, 4, 0x2000, 100, 0 },
	{ "no mailbox", 0x201, ~4U, 0x2000, 100, 0 },
	{ "no address", 0x200, 4, 0, 100, 0 },
	{ "no size", 0x200, 4, 0x7b000000, 0, 0 },
	{ "2.1, inside", 0x201, 4, 0x1fff, 100, 0 },
	{ "too large", 0x201, 4, 0x2000, VFIO_PCI_VBT_MAX + 1, 0 },
	{ "all ones", 0x201, 4, ~0ULL, ~0U, 0 },
	{ "distance wraps", 0x201, 4, ~0ULL, 100, 0 },
	{ "end wraps", 0x200, 4, ~0ULL - 50, 100, 0 },
};

static void tables_are_found_where_they_are(struct kunit *test)
{
	u8 *base = new_base(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opregion_cases); i++) {
		const struct opregion_case *c = &opregion_cases[i];
		u64 addr = 0;
		u32 len = 0;
		bool found;

		fill(base, c->version, c->mboxes, c->rvda, c->rvds);
		found = vfio_pci_opregion_find_vbt(base, ADDR, &addr, &len);
		KUNIT_EXPECT_EQ_MSG(test, found, !!c->at, "%s", c->what);
		KUNIT_EXPECT_EQ_MSG(test, addr, c->at, "%s", c->what);
		KUNIT_EXPECT_EQ_MSG(test, len, c->at ? c->rvds : 0, "%s",
				    c->what);
	}
}

/* What a user reads of it, made in a plain way. */
static u8 *whole_image(struct kunit *test, const struct vfio_pci_opregion *op)
{
	u8 *image = kunit_kmalloc(test, VFIO_PCI_OPREGION_SIZE + op->vbt_len,
				  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, image);
	memcpy(image, op->base, VFIO_PCI_OPREGION_SIZE);
	if (!op->vbt)
		return image;

	memcpy(image + VFIO_PCI_OPREGION_SIZE, op->vbt, op->vbt_len);
	if (get_unaligned_le16(image + 0x16) < 0x201)
		put_unaligned_le16(0x201, image + 0x16);
	put_unaligned_le64(VFIO_PCI_OPREGION_SIZE, image + 0x3ba);
	return image;
}

static void expect_same_in_steps(struct kunit *test,
				 const struct vfio_pci_opregion *op)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 256, 4095, 20000 };
	size_t size = VFIO_PCI_OPREGION_SIZE + op->vbt_len;
	u8 *want = whole_image(test, op);
	u8 *got = kunit_kmalloc(test, size, GFP_KERNEL);
	unsigned int i;
	size_t pos;

	KUNIT_ASSERT_NOT_NULL(test, got);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		memset(got, 0, size);
		for (pos = 0; pos < size; pos += steps[i])
			vfio_pci_opregion_copy(op, pos, got + pos,
					       min(steps[i], size - pos));
		KUNIT_EXPECT_EQ_MSG(test, memcmp(got, want, size), 0,
				    "steps of %zu", steps[i]);
	}
}

static void any_slice_is_a_slice_of_the_whole(struct kunit *test)
{
	static const u16 versions[] = { 0x200, 0x201, 0x300 };
	struct vfio_pci_opregion op = { .base = new_base(test) };
	u8 *vbt = kunit_kmalloc(test, VBT_LEN, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, vbt);
	for (i = 0; i < VBT_LEN; i++)
		vbt[i] = ~i * 3;

	expect_same_in_steps(test, &op);

	op.vbt = vbt;
	op.vbt_len = VBT_LEN;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		fill((u8 *)op.base, versions[i], 4, 0x7b000000, VBT_LEN);
		expect_same_in_steps(test, &op);
	}
}

static struct kunit_case opregion_test_cases[] = {
	KUNIT_CASE(signature_and_size_are_checked),
	KUNIT_CASE(tables_are_found_where_they_are),
	KUNIT_CASE(any_slice_is_a_slice_of_the_whole),
	{}
};

static struct kunit_suite opregion_test_suite = {
	.name = "vfio_pci_opregion",
	.test_cases = opregion_test_cases,
};

kunit_test_suite(opregion_test_suite);
