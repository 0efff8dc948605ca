// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map of a PCI config space and the moving of bits by it, on config spaces
 * that are made up: every capability, and devices that lie (P10, P11).
 */
#include <kunit/test.h>
#include <linux/ioport.h>
#include <linux/pci_regs.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "../pci/config.h"

#define CFG		PCI_CFG_SPACE_SIZE
#define EXP		PCI_CFG_SPACE_EXP_SIZE
#define STD_AT		0x80
#define RANDOM_SPACES	100000

/* A config space in memory, which notes how it is used */
struct space {
	struct vfio_pci_config_io io;
	u8 bytes[EXP];
	unsigned int size;
	unsigned int bad;	/* accesses that no hardware could take */
	unsigned int reads;
	unsigned int writes;
	unsigned int pos;	/* of the last write */
	unsigned int len;
	struct vfio_pci_config_map *map;
	u8 vconfig[EXP];
};

static struct space *to_space(const struct vfio_pci_config_io *io)
{
	return container_of(io, struct space, io);
}

static bool is_sane(struct space *s, unsigned int pos, unsigned int bytes)
{
	if ((bytes == 1 || bytes == 2 || bytes == 4) && !(pos % bytes) &&
	    pos < s->size && bytes <= s->size - pos)
		return true;
	s->bad++;
	return false;
}

static int space_read(const struct vfio_pci_config_io *io, unsigned int pos,
		      unsigned int bytes, u32 *val)
{
	struct space *s = to_space(io);
	unsigned int i;

	*val = 0;
	if (!is_sane(s, pos, bytes))
		return -EINVAL;
	for (i = 0; i < bytes; i++)
		*val |= (u32)s->bytes[pos + i] << (8 * i);
	s->reads++;
	return 0;
}

static int space_write(const struct vfio_pci_config_io *io, unsigned int pos,
		       unsigned int bytes, u32 val)
{
	struct space *s = to_space(io);
	unsigned int i;

	if (!is_sane(s, pos, bytes))
		return -EINVAL;
	for (i = 0; i < bytes; i++)
		s->bytes[pos + i] = val >> (8 * i);
	s->writes++;
	s->pos = pos;
	s->len = bytes;
	return 0;
}

static struct space *new_space(struct kunit *test, unsigned int size)
{
	struct space *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->io.read = space_read;
	s->io.write = space_write;
	s->size = size;
	s->bytes[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	s->map = vfio_pci_config_map_alloc(size);
	KUNIT_ASSERT_NOT_NULL(test, s->map);
	return s;
}

static void free_space(struct space *s)
{
	kvfree(s->map);
	s->map = NULL;
}

static void put_cap(struct space *s, u8 pos, u8 id, u8 next)
{
	s->bytes[pos] = id;
	s->bytes[pos + 1] = next;
}

static void put_ext(struct space *s, u16 pos, u16 id, u16 next)
{
	put_unaligned_le32(id | 1U << 16 | (u32)next << 20, &s->bytes[pos]);
}

static void build(struct space *s)
{
	memset(s->vconfig, 0, sizeof(s->vconfig));
	vfio_pci_config_map_build(s->map, s->vconfig, &s->io);
}

static struct vfio_pci_config_dword *at(struct space *s, unsigned int pos)
{
	return vfio_pci_config_dword(s->map, pos);
}

static u8 virt_byte(struct space *s, unsigned int pos)
{
	return at(s, pos)->virt >> vfio_pci_chunk_shift(pos);
}

static u8 write_byte(struct space *s, unsigned int pos)
{
	return at(s, pos)->write >> vfio_pci_chunk_shift(pos);
}

static u32 user_read(struct kunit *test, struct space *s, unsigned int pos,
		     unsigned int bytes)
{
	u32 val = 0;

	KUNIT_EXPECT_EQ(test, 0, vfio_pci_config_move_read(s->map, s->vconfig,
							   &s->io, pos, bytes,
							   &val));
	return val;
}

static void user_write(struct kunit *test, struct space *s, unsigned int pos,
		       unsigned int bytes, u32 val)
{
	KUNIT_EXPECT_EQ(test, 0, vfio_pci_config_move_write(s->map, s->vconfig,
							    &s->io, pos, bytes,
							    val));
}

/*
 * What must hold for any device at all. Every dword belongs to one capability
 * or to none, and both lists that the user walks are finite, go through
 * capabilities that are shown and through each of them once.
 */
static const char *map_fault(struct space *s)
{
	unsigned int pos, steps, found = 0, shown = 0;

	if (s->bad)
		return "asked for what is not in config space";

	for (pos = 0; pos < s->size; pos += 4) {
		struct vfio_pci_config_dword *d = at(s, pos);

		if (d->kind == VFIO_PCI_CONFIG_GAP) {
			if (d->virt || d->write != ~0U || d->bytes || d->trap)
				return "gap is not the hardware's";
			continue;
		}
		if (!d->bytes || d->bytes > 4 || d->cap > pos)
			return "bad place within a capability";
		if (at(s, d->cap)->cap != d->cap || at(s, d->cap)->id != d->id)
			return "belongs to what does not begin there";
		if (d->cap != pos && at(s, pos - 4)->cap != d->cap)
			return "capability in two pieces";
		if (d->kind == VFIO_PCI_CONFIG_CAP && pos >= CFG)
			return "standard capability outside its part";
		if (d->kind == VFIO_PCI_CONFIG_EXT_CAP && pos < CFG)
			return "extended capability outside its part";
		if (pos < 64 && d->kind != VFIO_PCI_CONFIG_HEADER)
			return "header is too short";
		if (pos >= 64 && d->kind == VFIO_PCI_CONFIG_HEADER)
			return "header is too long";
		if (d->cap == pos && (d->kind == VFIO_PCI_CONFIG_CAP ||
				      d->kind == VFIO_PCI_CONFIG_EXT_CAP))
			shown++;
	}

	pos = s->vconfig[PCI_CAPABILITY_LIST];
	for (steps = 0; pos; steps++) {
		if (pos < 64 || pos % 4 || pos >= s->size || steps > 48)
			return "standard list leaves its part or does not end";
		if (at(s, pos)->kind != VFIO_PCI_CONFIG_CAP ||
		    at(s, pos)->cap != pos)
			return "standard list finds what is not shown";
		if ((at(s, pos)->virt & 0xffff) != 0xffff ||
		    (at(s, pos)->write & 0xffff))
			return "standard header is not fixed";
		pos = s->vconfig[pos + 1];
		found++;
	}

	pos = CFG;
	if (s->size <= CFG || at(s, pos)->kind == VFIO_PCI_CONFIG_GAP)
		return found == shown ? NULL : "shown but not found";

	for (steps = 0; pos; steps++) {
		if (pos < CFG || pos % 4 || pos >= s->size || steps > 960)
			return "extended list leaves its part or does not end";
		if (at(s, pos)->virt != ~0U || at(s, pos)->write)
			return "extended header is not fixed";
		if (at(s, pos)->kind == VFIO_PCI_CONFIG_EXT_CAP)
			found++;
		else if (pos != CFG)
			return "extended list finds what is not shown";
		pos = vfio_pci_vconfig_get(s->vconfig, pos) >> 20;
	}
	return found == shown ? NULL : "shown but not found";
}

static void expect_sound(struct kunit *test, struct space *s, const char *what)
{
	const char *fault = map_fault(s);

	KUNIT_EXPECT_STREQ_MSG(test, fault ?: "sound", "sound", "%s", what);
}

/* The contract's table of registers, byte by byte, said once more */

struct byte_perm {
	u8 at;
	u8 virt;
	u8 write;
};

struct cap_case {
	const char *name;
	u16 id;
	u16 len;	/* bytes that writes are decided for */
	u8 regs[20];	/* what follows the capability's header */
	struct byte_perm perm[28];	/* bytes that are more than read-only */
	bool hidden;
	bool raw;	/* all but the header is the user's */
};

#define RW(n)	{ n, 0, 0xff }		/* hardware */
#define VRO(n)	{ n, 0xff, 0 }		/* virtual, read-only */
#define VRW(n)	{ n, 0xff, 0xff }	/* virtual scratch */

static const struct cap_case std_cases[] = {
	{ "null", 0x00, 4, .hidden = true },
	{ "pm", 0x01, 8, .perm = {
		{ 3, 0xf8, 0 }, { 4, 0, 0x03 }, { 5, 0x81, 0x1e },
	} },
	{ "agp", 0x02, 12 },
	{ "vpd", 0x03, 8, .perm = {
		VRW(2), VRW(3), VRW(4), VRW(5), VRW(6), VRW(7),
	} },
	{ "slotid", 0x04, 4, .hidden = true },
	{ "msi 32", 0x05, 10, { 0x00, 0x00 }, {
		{ 2, 0xff, 0x71 }, VRW(4), VRW(5), VRW(6), VRW(7),
		VRW(8), VRW(9),
	} },
	{ "msi 64", 0x05, 14, { 0x80, 0x00 }, {
		{ 2, 0xff, 0x71 }, VRW(4), VRW(5), VRW(6), VRW(7),
		VRW(8), VRW(9), VRW(10), VRW(11), VRW(12), VRW(13),
	} },
	{ "msi 32 masked", 0x05, 20, { 0x00, 0x01 }, {
		{ 2, 0xff, 0x71 }, VRW(4), VRW(5), VRW(6), VRW(7),
		VRW(8), VRW(9), RW(12), RW(13), RW(14), RW(15),
	} },
	{ "msi 64 masked", 0x05, 24, { 0x80, 0x01 }, {
		{ 2, 0xff, 0x71 }, VRW(4), VRW(5), VRW(6), VRW(7),
		VRW(8), VRW(9), VRW(10), VRW(11), VRW(12), VRW(13),
		RW(16), RW(17), RW(18), RW(19),
	} },
	{ "chswp", 0x06, 4, .hidden = true },
	{ "pcix v0", 0x07, 8, { 0, 0 }, { RW(2), RW(3) } },
	{ "pcix v1", 0x07, 24, { 0, 0x10 }, {
		RW(2), RW(3), RW(8), RW(9), RW(10), RW(11),
	} },
	{ "pcix v2", 0x07, 24, { 0, 0x20 }, {
		RW(2), RW(3), RW(8), RW(9), RW(10), RW(11),
	} },
	{ "ht slave", 0x08, 28, { 0, 0x00 } },
	{ "ht host", 0x08, 24, { 0, 0x20 } },
	{ "ht irq", 0x08, 8, { 0, 0x80 } },
	{ "ht msi", 0x08, 12, { 0, 0xa8 } },
	{ "ht msi fixed", 0x08, 4, { 2, 0xa8 } },
	{ "vndr", 0x09, 13, { 13 }, .raw = true },
	{ "vndr empty", 0x09, 3, { 0 }, .raw = true },
	{ "dbg", 0x0a, 4, .hidden = true },
	{ "ccrc", 0x0b, 4, .hidden = true },
	{ "shpc", 0x0c, 8, .hidden = true },
	{ "ssvid", 0x0d, 8, .hidden = true },
	{ "agp3", 0x0e, 4, .hidden = true },
	{ "secdev", 0x0f, 4, .hidden = true },
	{ "exp v1 endpoint", 0x10, 20, { 0x01, 0 }, {
		{ 8, 0xe0, 0xff }, { 9, 0xf0, 0xfd },
	} },
	{ "exp v1 in root complex", 0x10, 12, { 0x91, 0 }, {
		{ 8, 0xe0, 0xff }, { 9, 0xf0, 0xfd },
	} },
	{ "exp v2 endpoint", 0x10, 52, { 0x02, 0 }, {
		{ 8, 0xe0, 0xff }, { 9, 0xf0, 0xfd }, { 40, 0, 0xdf }, RW(41),
	} },
	{ "exp v2 legacy", 0x10, 52, { 0x12, 0 }, {
		{ 8, 0xe0, 0xff }, { 9, 0xf0, 0xfd }, { 40, 0, 0xdf }, RW(41),
	} },
	{ "exp v2 in root complex", 0x10, 44, { 0x92, 0 }, {
		{ 8, 0xe0, 0xff }, { 9, 0xf0, 0xfd }, { 40, 0, 0xdf }, RW(41),
	} },
	{ "msix", 0x11, 12 },
	{ "sata", 0x12, 8 },
	{ "sata inline", 0x12, 16, { 0, 0, 0x0f } },
	{ "af", 0x13, 6, .perm = { { 4, 0x01, 0x01 } } },
	/* two entries, of three dwords and of five */
	{ "ea", 0x14, 4 + 12 + 20, {
		2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4,
	}, .hidden = true },
	{ "newer", 0x15, 4, .hidden = true },
	{ "unheard of", 0xfe, 4, .hidden = true },
};

static const struct cap_case ext_cases[] = {
	{ "null", 0x00, 4, .hidden = true },
	{ "aer", 0x01, 0x2c, .perm = {
		RW(4), RW(5), RW(6), RW(7), RW(8), RW(9), RW(10), RW(11),
		RW(12), RW(13), RW(14), RW(15), RW(16), RW(17), RW(18), RW(19),
		RW(20), RW(21), RW(22), RW(23), { 24, 0, 0x40 }, { 25, 0, 0x01 },
	} },
	{ "vc", 0x02, 0x1c },
	/* three channels, a table of 32 phases at 0x40 */
	{ "vc with table", 0x02, 0x50, { 2, 0, 0, 0, 2, 0, 0, 4 } },
	/* one channel whose own table of 256 phases of 8 bits is at 0x30 */
	{ "vc with ports", 0x02, 0x130, {
		0, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 3,
	} },
	{ "dsn", 0x03, 12 },
	{ "pwr", 0x04, 16, .perm = { RW(4) } },
	{ "rcld", 0x05, 4, .hidden = true },
	{ "rcilc", 0x06, 4, .hidden = true },
	{ "rcec", 0x07, 4, .hidden = true },
	{ "mfvc", 0x08, 0x1c },
	{ "vc9", 0x09, 0x1c },
	{ "rcrb", 0x0a, 4, .hidden = true },
	{ "vndr", 0x0b, 0x14, { 1, 0, 0x40, 0x01 }, .raw = true },
	{ "cac", 0x0c, 4, .hidden = true },
	{ "acs", 0x0d, 8 },
	{ "acs egress 33", 0x0d, 16, { 0x20, 33 } },
	{ "acs egress 256", 0x0d, 40, { 0x20, 0 } },
	{ "ari", 0x0e, 8 },
	{ "ats", 0x0f, 8 },
	{ "sriov", 0x10, 0x40 },
	{ "mriov", 0x11, 4, .hidden = true },
	{ "mcast", 0x12, 40 },
	{ "pri", 0x13, 16 },
	{ "amd", 0x14, 4, .hidden = true },
	{ "rebar", 0x15, 4 + 8 * 3, { 0, 0, 0, 0, 3 << 5 } },
	{ "dpa", 0x16, 16 + 6, { 5 } },
	{ "tph", 0x17, 12 },
	{ "tph with table", 0x17, 12 + 2 * 8, { 0, 2, 7, 0 } },
	{ "ltr", 0x18, 8 },
	{ "secpci", 0x19, 4, .hidden = true },
	{ "pmux", 0x1a, 4, .hidden = true },
	{ "pasid", 0x1b, 8, .hidden = true },
	{ "reserved", 0x1c, 4, .hidden = true },
	{ "dpc", 0x1d, 4, .hidden = true },
	{ "l1ss", 0x1e, 16, .hidden = true },
	{ "ptm", 0x1f, 12, .hidden = true },
	{ "dvsec", 0x23, 0x1a, { 1, 0, 0xa0, 0x01 }, .raw = true },
	{ "dlf", 0x25, 4, .hidden = true },
	{ "npem", 0x29, 16, .hidden = true },
	{ "doe", 0x2e, 24, .hidden = true },
	{ "newer", 0x2f, 4, .hidden = true },
	{ "unheard of", 0x7fff, 4, .hidden = true },
};

static void expect_bytes(struct kunit *test, struct space *s, unsigned int pos,
			 const struct cap_case *c, unsigned int header)
{
	unsigned int i, j;

	for (i = 0; i < c->len; i++) {
		u8 virt = 0, write = c->raw ? 0xff : 0;

		if (i < header && !c->hidden) {
			virt = 0xff;
			write = 0;
		}
		for (j = 0; j < ARRAY_SIZE(c->perm); j++) {
			if (c->perm[j].at == i && i >= 2) {
				virt = c->perm[j].virt;
				write = c->perm[j].write;
			}
		}
		KUNIT_EXPECT_EQ_MSG(test, virt_byte(s, pos + i), virt,
				    "%s byte %u", c->name, i);
		KUNIT_EXPECT_EQ_MSG(test, write_byte(s, pos + i), write,
				    "%s byte %u", c->name, i);
	}
	/* Behind it is a gap */
	for (i = c->len; i < c->len + 8; i++) {
		KUNIT_EXPECT_EQ_MSG(test, virt_byte(s, pos + i), 0,
				    "%s gap %u", c->name, i);
		KUNIT_EXPECT_EQ_MSG(test, write_byte(s, pos + i), 0xff,
				    "%s gap %u", c->name, i);
	}
}

static void every_standard_byte_follows_the_contract(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(std_cases); i++) {
		const struct cap_case *c = &std_cases[i];
		struct space *s = new_space(test, CFG);

		s->bytes[PCI_CAPABILITY_LIST] = STD_AT;
		put_cap(s, STD_AT, c->id, 0);
		memcpy(&s->bytes[STD_AT + 2], c->regs, sizeof(c->regs));
		build(s);
		expect_sound(test, s, c->name);
		KUNIT_EXPECT_EQ_MSG(test, s->vconfig[PCI_CAPABILITY_LIST],
				    c->hidden ? 0 : STD_AT, "%s", c->name);
		expect_bytes(test, s, STD_AT, c, 2);
		free_space(s);
	}
}

static void every_extended_byte_follows_the_contract(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ext_cases); i++) {
		const struct cap_case *c = &ext_cases[i];
		struct space *s = new_space(test, EXP);

		put_ext(s, 0x100, PCI_EXT_CAP_ID_DSN, 0x400);
		put_ext(s, 0x400, c->id, 0x800);
		memcpy(&s->bytes[0x404], c->regs, sizeof(c->regs));
		put_ext(s, 0x800, PCI_EXT_CAP_ID_LTR, 0);
		build(s);
		expect_sound(test, s, c->name);
		KUNIT_EXPECT_EQ_MSG(test,
				    vfio_pci_vconfig_get(s->vconfig, 0x100) >> 20,
				    c->hidden ? 0x800 : 0x400, "%s", c->name);
		expect_bytes(test, s, 0x400, c, 4);
		free_space(s);
	}
}

static void header_follows_the_contract(struct kunit *test)
{
	static const struct byte_perm perm[] = {
		VRO(0x00), VRO(0x01), VRO(0x02), VRO(0x03),
		RW(0x04), { 0x05, 0x04, 0xff }, { 0x06, 0x10, 0 },
		RW(0x0c), RW(0x0d), RW(0x0f),
		/* sized when the device is known */
		VRO(0x10), VRO(0x11), VRO(0x12), VRO(0x13),
		VRO(0x14), VRO(0x15), VRO(0x16), VRO(0x17),
		VRO(0x18), VRO(0x19), VRO(0x1a), VRO(0x1b),
		VRO(0x1c), VRO(0x1d), VRO(0x1e), VRO(0x1f),
		VRO(0x20), VRO(0x21), VRO(0x22), VRO(0x23),
		VRO(0x24), VRO(0x25), VRO(0x26), VRO(0x27),
		VRO(0x30), VRO(0x31), VRO(0x32), VRO(0x33),
		VRO(0x34), VRW(0x3c), VRO(0x3d),
	};
	struct space *s = new_space(test, CFG);
	unsigned int i, j;

	build(s);
	expect_sound(test, s, "header");
	for (i = 0; i < 64; i++) {
		u8 virt = 0, write = 0;

		for (j = 0; j < ARRAY_SIZE(perm); j++) {
			if (perm[j].at == i) {
				virt = perm[j].virt;
				write = perm[j].write;
			}
		}
		KUNIT_EXPECT_EQ_MSG(test, virt_byte(s, i), virt, "byte %#x", i);
		KUNIT_EXPECT_EQ_MSG(test, write_byte(s, i), write, "byte %#x", i);
	}
	free_space(s);
}

/* What is virtual and must not show the host's state begins as zero */
static void virtual_bits_begin_as_they_should(struct kunit *test)
{
	struct space *s = new_space(test, CFG);

	memset(&s->bytes[0x40], 0xff, CFG - 0x40);
	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	s->bytes[PCI_COMMAND + 1] = 0x04;
	put_cap(s, 0x40, PCI_CAP_ID_PM, 0x50);
	put_cap(s, 0x50, PCI_CAP_ID_MSI, 0x70);
	s->bytes[0x52] = 0x07;
	s->bytes[0x53] = 0x00;
	put_cap(s, 0x70, PCI_CAP_ID_EXP, 0xb0);
	s->bytes[0x72] = 0x02;
	put_cap(s, 0xb0, PCI_CAP_ID_AF, 0xc0);
	put_cap(s, 0xc0, PCI_CAP_ID_VPD, 0);
	build(s);
	expect_sound(test, s, "capabilities full of ones");

	KUNIT_EXPECT_EQ(test, user_read(test, s, PCI_COMMAND + 1, 1), 0);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x42, 2), 0x07ff);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x44, 2), 0x7eff);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x52, 1), 0x06);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x54, 4), 0xffffffff);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x78, 2), 0x7fff);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0xb4, 1), 0xfe);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0xc2, 2), 0);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0xc4, 4), 0);
	free_space(s);
}

/* Chains */

static void hidden_capabilities_leave_the_chain_whole(struct kunit *test)
{
	struct space *s = new_space(test, EXP);

	s->bytes[PCI_CAPABILITY_LIST] = 0x43;	/* low bits are reserved */
	put_cap(s, 0x40, PCI_CAP_ID_SSVID, 0x50);
	put_cap(s, 0x50, PCI_CAP_ID_PM, 0xf2);
	put_cap(s, 0xf0, PCI_CAP_ID_SHPC, 0xe0);
	put_cap(s, 0xe0, 0x77, 0x60);
	put_cap(s, 0x60, PCI_CAP_ID_MSIX, 0x90);
	put_cap(s, 0x90, 0, 0);
	put_ext(s, 0x100, PCI_EXT_CAP_ID_PASID, 0x200);
	put_ext(s, 0x200, PCI_EXT_CAP_ID_DSN, 0x180);
	put_ext(s, 0x180, PCI_EXT_CAP_ID_SECPCI, 0xff8);
	put_ext(s, 0xff8, PCI_EXT_CAP_ID_LTR, 0x300);
	put_ext(s, 0x300, 0x100, 0);
	build(s);
	expect_sound(test, s, "hidden capabilities");

	KUNIT_EXPECT_EQ(test, s->vconfig[PCI_CAPABILITY_LIST], 0x50);
	KUNIT_EXPECT_EQ(test, s->vconfig[0x51], 0x60);
	KUNIT_EXPECT_EQ(test, s->vconfig[0x61], 0);
	/* The empty placeholder, and the list that goes on from it */
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x100, 4), 0x20000000);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x200, 4), 0xff810003);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0xff8, 4), 0x00010018);
	free_space(s);
}

static void no_extended_capability_is_shown_as_none(struct kunit *test)
{
	struct space *s = new_space(test, EXP);

	put_ext(s, 0x100, PCI_EXT_CAP_ID_PASID, 0);
	build(s);
	expect_sound(test, s, "one hidden capability");
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x100, 4), 0);
	free_space(s);
}

static void a_status_without_list_shows_no_capability(struct kunit *test)
{
	struct space *s = new_space(test, CFG);

	s->bytes[PCI_STATUS] = 0;
	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	put_cap(s, 0x40, PCI_CAP_ID_PM, 0);
	build(s);
	expect_sound(test, s, "no list");
	KUNIT_EXPECT_EQ(test, user_read(test, s, PCI_CAPABILITY_LIST, 1), 0);
	KUNIT_EXPECT_EQ(test, at(s, 0x40)->kind, VFIO_PCI_CONFIG_GAP);
	free_space(s);
}

static void loops_end(struct kunit *test)
{
	struct space *s = new_space(test, EXP);
	unsigned int pos;

	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	put_cap(s, 0x40, PCI_CAP_ID_PM, 0x40);
	put_ext(s, 0x100, PCI_EXT_CAP_ID_DSN, 0x100);
	build(s);
	expect_sound(test, s, "points at itself");
	KUNIT_EXPECT_EQ(test, s->vconfig[0x41], 0);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x100, 4), 0x00010003);

	put_cap(s, 0x40, PCI_CAP_ID_PM, 0x50);
	put_cap(s, 0x50, PCI_CAP_ID_VNDR, 0x60);
	put_cap(s, 0x60, PCI_CAP_ID_HT, 0x50);
	put_ext(s, 0x100, 0x7fff, 0x200);
	put_ext(s, 0x200, PCI_EXT_CAP_ID_LTR, 0x300);
	put_ext(s, 0x300, PCI_EXT_CAP_ID_ATS, 0x200);
	build(s);
	expect_sound(test, s, "points back");
	KUNIT_EXPECT_EQ(test, s->vconfig[0x51], 0x60);
	KUNIT_EXPECT_EQ(test, s->vconfig[0x61], 0);

	/* As many as there can be, then around again */
	for (pos = 0x40; pos < 0x100; pos += 4)
		put_cap(s, pos, PCI_CAP_ID_HT, pos == 0xfc ? 0x40 : pos + 4);
	for (pos = 0x100; pos < 0x1000; pos += 4)
		put_ext(s, pos, PCI_EXT_CAP_ID_DSN, pos == 0xffc ? 0x100 : pos + 4);
	build(s);
	expect_sound(test, s, "one a dword");
	KUNIT_EXPECT_EQ(test, s->vconfig[0xfd], 0);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0xffc, 4), 0x00010003);
	free_space(s);
}

static void pointers_out_of_the_lists_end_them(struct kunit *test)
{
	static const u16 wild[] = { 0x004, 0x03c, 0x0fc, 0x0ff, 0xffc };
	struct space *s = new_space(test, EXP);
	unsigned int i;

	for (i = 0; i < 64; i++) {
		s->bytes[PCI_CAPABILITY_LIST] = i;
		build(s);
		expect_sound(test, s, "first pointer into the header");
		KUNIT_EXPECT_EQ(test, s->vconfig[PCI_CAPABILITY_LIST], 0);
	}

	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		put_ext(s, 0x100, PCI_EXT_CAP_ID_DSN, wild[i]);
		build(s);
		expect_sound(test, s, "next pointer below the list");
		KUNIT_EXPECT_EQ_MSG(test, user_read(test, s, 0x100, 4),
				    0x00010003, "next %#x", wild[i]);
	}

	/* A pointer's low bits are reserved */
	put_ext(s, 0x100, PCI_EXT_CAP_ID_DSN, 0x203);
	put_ext(s, 0x200, PCI_EXT_CAP_ID_LTR, 0);
	build(s);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x100, 4), 0x20010003);
	free_space(s);
}

/* P10: an ID past every table, where a hidden capability has to stay */
static void first_extended_id_may_be_anything(struct kunit *test)
{
	struct space *s = new_space(test, EXP);
	unsigned int id, pos;

	for (id = 0; id <= 0xffff; id += id < 0x100 ? 1 : 0xff) {
		s->bad = 0;
		put_ext(s, 0x100, id, 0x140);
		put_ext(s, 0x140, PCI_EXT_CAP_ID_LTR, 0);
		build(s);
		expect_sound(test, s, "any ID");
		KUNIT_EXPECT_EQ_MSG(test,
				    vfio_pci_vconfig_get(s->vconfig, 0x100) >> 20,
				    0x140, "id %#x", id);
	}

	put_ext(s, 0x100, 0x7fff, 0x140);
	build(s);
	for (pos = 0; pos < EXP; pos += 4)
		user_read(test, s, pos, 4);
	KUNIT_EXPECT_EQ(test, s->bad, 0);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x100, 2), 0);
	free_space(s);
}

/* Lengths */

static void lengths_are_clipped_to_the_space(struct kunit *test)
{
	struct space *s = new_space(test, EXP);

	s->bytes[PCI_CAPABILITY_LIST] = 0xf8;
	put_cap(s, 0xf8, PCI_CAP_ID_VNDR, 0);
	s->bytes[0xfa] = 0xff;
	put_ext(s, 0x100, PCI_EXT_CAP_ID_LTR, 0xff4);
	put_ext(s, 0xff4, PCI_EXT_CAP_ID_VNDR, 0);
	put_unaligned_le32(0xfff00001, &s->bytes[0xff8]);
	build(s);
	expect_sound(test, s, "vendor's lengths past the end");
	KUNIT_EXPECT_EQ(test, at(s, 0xfc)->cap, 0xf8);
	KUNIT_EXPECT_EQ(test, at(s, 0x100)->cap, 0x100);
	KUNIT_EXPECT_EQ(test, at(s, 0xffc)->cap, 0xff4);

	/* No room for the registers that are trapped: not shown */
	put_cap(s, 0xf8, PCI_CAP_ID_EXP, 0);
	s->bytes[0xfa] = 0x02;
	put_ext(s, 0xff4, PCI_EXT_CAP_ID_SRIOV, 0);
	build(s);
	expect_sound(test, s, "fixed lengths past the end");
	KUNIT_EXPECT_EQ(test, s->vconfig[PCI_CAPABILITY_LIST], 0);
	KUNIT_EXPECT_EQ(test, at(s, 0xfc)->write, 0);
	KUNIT_EXPECT_EQ(test, at(s, 0xffc)->kind, VFIO_PCI_CONFIG_EXT_CAP);

	/* In the last dword there is nothing to measure */
	put_cap(s, 0xfc, PCI_CAP_ID_SATA, 0);
	s->bytes[PCI_CAPABILITY_LIST] = 0xfc;
	put_ext(s, 0x100, PCI_EXT_CAP_ID_LTR, 0xffc);
	put_ext(s, 0xffc, PCI_EXT_CAP_ID_VC, 0);
	build(s);
	expect_sound(test, s, "last dword");
	free_space(s);
}

static void a_space_may_have_any_size(struct kunit *test)
{
	static const unsigned int sizes[] = {
		0x40, 0x44, 0xa0, 0xfc, 0x100, 0x104, 0x600, 0xffc,
	};
	unsigned int i, pos;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct space *s = new_space(test, sizes[i]);

		s->bytes[PCI_CAPABILITY_LIST] = 0x40;
		for (pos = 0x40; pos < 0x100; pos += 0x20)
			put_cap(s, pos, PCI_CAP_ID_VNDR, pos + 0x20);
		for (pos = 0x100; pos < 0xf00; pos += 0x100)
			put_ext(s, pos, PCI_EXT_CAP_ID_VC, pos + 0x100);
		build(s);
		expect_sound(test, s, "odd size");
		free_space(s);
	}
}

static void overlapping_capabilities_share_nothing(struct kunit *test)
{
	struct space *s = new_space(test, EXP);

	/* Each begins within the one before, and the list goes backwards */
	s->bytes[PCI_CAPABILITY_LIST] = 0x50;
	put_cap(s, 0x50, PCI_CAP_ID_MSIX, 0x4c);
	put_cap(s, 0x4c, PCI_CAP_ID_PM, 0x40);
	put_cap(s, 0x40, PCI_CAP_ID_EXP, 0);
	s->bytes[0x42] = 0x02;
	put_ext(s, 0x100, PCI_EXT_CAP_ID_ERR, 0x118);
	put_ext(s, 0x118, 0x7fff, 0);
	build(s);
	expect_sound(test, s, "overlaps");

	/* PCI Express has just what its trap needs; PM has not */
	KUNIT_EXPECT_EQ(test, s->vconfig[PCI_CAPABILITY_LIST], 0x50);
	KUNIT_EXPECT_EQ(test, s->vconfig[0x51], 0x40);
	KUNIT_EXPECT_EQ(test, at(s, 0x48)->trap, VFIO_PCI_TRAP_EXP);
	KUNIT_EXPECT_EQ(test, at(s, 0x4c)->kind, VFIO_PCI_CONFIG_HIDDEN);
	KUNIT_EXPECT_EQ(test, at(s, 0x50)->trap, VFIO_PCI_TRAP_NONE);
	/* A hidden one takes its header away from AER's control register */
	KUNIT_EXPECT_EQ(test, at(s, 0x114)->write, ~0U);
	KUNIT_EXPECT_EQ(test, at(s, 0x118)->write, 0);
	free_space(s);
}

static void only_the_first_of_a_kind_is_trapped(struct kunit *test)
{
	static const u8 ids[] = {
		PCI_CAP_ID_PM, PCI_CAP_ID_VPD, PCI_CAP_ID_MSI, PCI_CAP_ID_PCIX,
		PCI_CAP_ID_EXP, PCI_CAP_ID_MSIX, PCI_CAP_ID_AF,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct space *s = new_space(test, CFG);

		s->bytes[PCI_CAPABILITY_LIST] = 0x80;
		put_cap(s, 0x80, ids[i], 0x40);
		put_cap(s, 0x40, ids[i], 0);
		build(s);
		expect_sound(test, s, "twice");
		KUNIT_EXPECT_EQ(test, at(s, 0x80)->kind, VFIO_PCI_CONFIG_CAP);
		KUNIT_EXPECT_EQ(test, at(s, 0x40)->kind, VFIO_PCI_CONFIG_HIDDEN);
		KUNIT_EXPECT_EQ(test, at(s, 0x44)->trap, VFIO_PCI_TRAP_NONE);
		free_space(s);
	}
}

static void a_dead_device_has_no_capabilities(struct kunit *test)
{
	struct space *s = new_space(test, EXP);

	memset(s->bytes, 0xff, EXP);
	build(s);
	expect_sound(test, s, "all ones");
	KUNIT_EXPECT_EQ(test, s->vconfig[PCI_CAPABILITY_LIST], 0);
	KUNIT_EXPECT_EQ(test, at(s, 0xfc)->kind, VFIO_PCI_CONFIG_GAP);
	KUNIT_EXPECT_EQ(test, at(s, 0x100)->kind, VFIO_PCI_CONFIG_GAP);

	memset(s->bytes, 0, EXP);
	build(s);
	expect_sound(test, s, "all zeroes");

	/* It may die in the middle of a list */
	s->bytes[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	put_cap(s, 0x40, PCI_CAP_ID_PM, 0x50);
	put_cap(s, 0x50, 0xff, 0x60);
	put_cap(s, 0x60, PCI_CAP_ID_MSIX, 0);
	build(s);
	expect_sound(test, s, "ones in the middle");
	KUNIT_EXPECT_EQ(test, s->vconfig[0x41], 0);
	KUNIT_EXPECT_EQ(test, at(s, 0x60)->kind, VFIO_PCI_CONFIG_GAP);
	free_space(s);
}

static u32 any(struct rnd_state *rnd, u32 below)
{
	return prandom_u32_state(rnd) % below;
}

/*
 * Noise alone hardly ever makes a list. So most spaces get lists of likely
 * IDs, whose lengths and pointers are noise or nearly right.
 */
static void make_noise(struct space *s, struct rnd_state *rnd)
{
	unsigned int i, pos, n;

	prandom_bytes_state(rnd, s->bytes, s->size);
	if (any(rnd, 8))
		s->bytes[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	if (any(rnd, 16))
		s->bytes[PCI_CAPABILITY_LIST] = 0x40 + 4 * any(rnd, 48);

	n = any(rnd, 12);
	pos = s->bytes[PCI_CAPABILITY_LIST] & 0xfc;
	for (i = 0; i < n && pos >= 0x40; i++) {
		unsigned int next = any(rnd, 8) ? 0x40 + 4 * any(rnd, 48) :
						  any(rnd, 256);

		put_cap(s, pos, any(rnd, PCI_CAP_ID_MAX + 3), next);
		pos = next & 0xfc;
	}

	if (s->size <= CFG)
		return;
	n = any(rnd, 24);
	for (i = 0, pos = 0x100; i < n && pos >= 0x100; i++) {
		unsigned int next = any(rnd, 8) ? 0x100 + 4 * any(rnd, 960) :
						  any(rnd, 4096);

		put_ext(s, pos, any(rnd, PCI_EXT_CAP_ID_MAX + 3), next);
		pos = next & 0xffc;
	}
}

/* After any write the user must not have changed a bit he may not */
static const char *write_fault(struct space *s, struct rnd_state *rnd)
{
	unsigned int pos = any(rnd, s->size);
	unsigned int bytes = vfio_pci_config_chunk(s->map, pos, 1 + any(rnd, 8));
	unsigned int shift = vfio_pci_chunk_shift(pos);
	struct vfio_pci_config_dword *d = at(s, pos);
	u32 covered = vfio_pci_chunk_mask(bytes) << shift;
	u32 hw = get_unaligned_le32(&s->bytes[pos & ~3]);
	u32 virt = vfio_pci_vconfig_get(s->vconfig, pos);
	u32 val = prandom_u32_state(rnd);
	u32 bits;

	if (vfio_pci_config_move_write(s->map, s->vconfig, &s->io, pos, bytes,
				       val))
		return "write failed";
	bits = d->write & covered;
	val <<= shift;
	if (get_unaligned_le32(&s->bytes[pos & ~3]) !=
	    ((hw & ~(bits & ~d->virt)) | (val & bits & ~d->virt)))
		return "hardware has other bits";
	if (vfio_pci_vconfig_get(s->vconfig, pos) !=
	    ((virt & ~(bits & d->virt)) | (val & bits & d->virt)))
		return "virtual copy has other bits";
	return s->bad ? "bad access" : NULL;
}

static void random_spaces_make_sound_maps(struct kunit *test)
{
	struct space *small = new_space(test, CFG);
	struct space *large = new_space(test, EXP);
	const char *fault = NULL;
	struct rnd_state rnd;
	unsigned int i, j;

	prandom_seed_state(&rnd, 0x5eed);
	for (i = 0; i < RANDOM_SPACES && !fault; i++) {
		struct space *s = i % 16 ? small : large;

		make_noise(s, &rnd);
		build(s);
		fault = map_fault(s);
		for (j = 0; j < 8 && !fault; j++)
			fault = write_fault(s, &rnd);
		if (!(i % 256))
			cond_resched();
	}
	KUNIT_EXPECT_STREQ_MSG(test, fault ?: "sound", "sound", "space %u", i);
	free_space(small);
	free_space(large);
}

/* Access */

static void chunks_are_aligned_and_stay_in_a_capability(struct kunit *test)
{
	struct space *s = new_space(test, CFG);
	unsigned int pos, count;

	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	put_cap(s, 0x40, PCI_CAP_ID_AF, 0x48);
	put_cap(s, 0x48, PCI_CAP_ID_VNDR, 0x50);
	s->bytes[0x4a] = 5;
	put_cap(s, 0x50, PCI_CAP_ID_VNDR, 0);
	s->bytes[0x52] = 3;
	build(s);

	for (pos = 0; pos < CFG; pos++) {
		for (count = 1; count < 9; count++) {
			unsigned int n = vfio_pci_config_chunk(s->map, pos, count);
			unsigned int owned = at(s, pos)->bytes;
			unsigned int best = 1;
			unsigned int end;

			/* the widest that is aligned, wanted and on one side */
			end = pos % 4 < owned ? owned : 4;
			if (!(pos % 2) && count >= 2 && pos % 4 + 2 <= end)
				best = 2;
			if (!(pos % 4) && count >= 4 && end == 4)
				best = 4;
			KUNIT_EXPECT_EQ_MSG(test, n, best, "at %#x, %u", pos,
					    count);
		}
	}
	free_space(s);
}

static void reads_mix_hardware_and_virtual_copy(struct kunit *test)
{
	struct space *s = new_space(test, CFG);

	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	put_cap(s, 0x40, PCI_CAP_ID_MSI, 0);
	put_unaligned_le16(0x0186, &s->bytes[0x42]);
	build(s);

	/* High byte of the flags, mask and pending bits live */
	put_unaligned_le16(0xffff, &s->bytes[0x42]);
	put_unaligned_le32(0x11223344, &s->bytes[0x50]);
	put_unaligned_le32(0x55667788, &s->bytes[0x54]);
	put_unaligned_le32(0xaaaaaaaa, &s->bytes[0x44]);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x40, 4), 0xff860005);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x50, 4), 0x11223344);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x56, 2), 0x5566);

	/* What is all virtual does not bother the hardware */
	s->reads = 0;
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x44, 4), 0);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x00, 4), 0);
	KUNIT_EXPECT_EQ(test, s->reads, 0);

	user_write(test, s, 0x44, 4, 0xfee00000);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x44, 4), 0xfee00000);
	KUNIT_EXPECT_EQ(test, s->writes, 0);
	user_write(test, s, 0x51, 1, 0xee);
	KUNIT_EXPECT_EQ(test, s->bytes[0x51], 0xee);
	KUNIT_EXPECT_EQ(test, s->writes, 1);
	free_space(s);
}

/*
 * A status bit that is cleared by a one stands beside bits that are written.
 * It must not be in the access at all.
 */
static void writes_touch_no_more_bytes_than_they_change(struct kunit *test)
{
	static const struct {
		u32 bits;
		unsigned int pos, bytes, reads;
	} cases[] = {
		{ 0xffffffff, 0x40, 4, 0 },
		{ 0x0000ffff, 0x40, 2, 0 },
		{ 0xffff0000, 0x42, 2, 0 },
		{ 0x000000ff, 0x40, 1, 0 },
		{ 0x0000ff00, 0x41, 1, 0 },
		{ 0x00ff0000, 0x42, 1, 0 },
		{ 0xff000000, 0x43, 1, 0 },
		{ 0x00000100, 0x41, 1, 1 },
		{ 0x00ffff00, 0x40, 4, 1 },
		{ 0xff00ffff, 0x40, 4, 1 },
		{ 0x00001001, 0x40, 2, 1 },
	};
	struct space *s = new_space(test, CFG);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 bits = cases[i].bits;

		put_unaligned_le32(0x5a5a5a5a, &s->bytes[0x40]);
		s->reads = 0;
		KUNIT_EXPECT_EQ(test, 0, vfio_pci_config_merge(&s->io, 0x40, 4,
							       bits, 0x96969696));
		KUNIT_EXPECT_EQ_MSG(test, s->pos, cases[i].pos, "%#x", bits);
		KUNIT_EXPECT_EQ_MSG(test, s->len, cases[i].bytes, "%#x", bits);
		KUNIT_EXPECT_EQ_MSG(test, s->reads, cases[i].reads, "%#x", bits);
		KUNIT_EXPECT_EQ_MSG(test, get_unaligned_le32(&s->bytes[0x40]),
				    (0x5a5a5a5a & ~bits) | (0x96969696 & bits),
				    "%#x", bits);
	}

	/* Device control is written, device status beside it is left alone */
	s->bytes[PCI_CAPABILITY_LIST] = 0x40;
	put_cap(s, 0x40, PCI_CAP_ID_EXP, 0);
	s->bytes[0x42] = 0x02;
	put_unaligned_le32(0x000f2810, &s->bytes[0x48]);
	build(s);
	user_write(test, s, 0x48, 4, 0xffffffff);
	KUNIT_EXPECT_EQ(test, s->pos, 0x48);
	KUNIT_EXPECT_EQ(test, s->len, 2);
	/* payload and read request size, phantom functions, reset: the host's */
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(&s->bytes[0x48]), 0x000f2d1f);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x48, 2), 0xfdff);
	free_space(s);
}

static void gaps_are_the_hardware_s(struct kunit *test)
{
	struct space *s = new_space(test, EXP);

	build(s);
	put_unaligned_le32(0xdeadbeef, &s->bytes[0x60]);
	KUNIT_EXPECT_EQ(test, user_read(test, s, 0x60, 4), 0xdeadbeef);
	user_write(test, s, 0x60, 4, 0x01020304);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(&s->bytes[0x60]), 0x01020304);
	user_write(test, s, 0xffe, 2, 0x0506);
	KUNIT_EXPECT_EQ(test, get_unaligned_le16(&s->bytes[0xffe]), 0x0506);
	KUNIT_EXPECT_EQ(test, s->bad, 0);
	free_space(s);
}

/* BARs */

static void bars_tell_their_size(struct kunit *test)
{
	static const struct {
		u64 size;
		unsigned long flags;
		u32 low, high;	/* what reads after writing ones */
	} cases[] = {
		{ 0, IORESOURCE_MEM, 0, 0 },
		{ 0, IORESOURCE_IO, 0, 0 },
		{ 4, IORESOURCE_IO, 0xfffffffd, 0 },
		{ 1, IORESOURCE_IO, 0xfffffffd, 0 },
		{ 32, IORESOURCE_IO, 0xffffffe1, 0 },
		{ 16, IORESOURCE_MEM, 0xfffffff0, 0 },
		{ 1, IORESOURCE_MEM, 0xfffffff0, 0 },
		{ SZ_4K, IORESOURCE_MEM, 0xfffff000, 0 },
		{ SZ_4K - 1, IORESOURCE_MEM, 0xfffff000, 0 },
		{ SZ_4K + 1, IORESOURCE_MEM, 0xffffe000, 0 },
		{ SZ_1M, IORESOURCE_MEM | IORESOURCE_PREFETCH, 0xfff00008, 0 },
		{ SZ_2G, IORESOURCE_MEM, 0x80000000, 0 },
		{ SZ_16K, IORESOURCE_MEM | IORESOURCE_MEM_64,
		  0xffffc004, 0xffffffff },
		{ SZ_2G, IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH,
		  0x8000000c, 0xffffffff },
		{ 1ULL << 32, IORESOURCE_MEM | IORESOURCE_MEM_64, 4, 0xffffffff },
		{ 1ULL << 40, IORESOURCE_MEM | IORESOURCE_MEM_64, 4, 0xffffff00 },
		{ 1ULL << 63, IORESOURCE_MEM | IORESOURCE_MEM_64, 4, 0x80000000 },
		{ ~0ULL, IORESOURCE_MEM | IORESOURCE_MEM_64, 4, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 write[2], fixed[2];

		vfio_pci_bar_perms(cases[i].size, cases[i].flags, write, fixed);
		KUNIT_EXPECT_EQ_MSG(test, write[0] | fixed[0], cases[i].low,
				    "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, write[1] | fixed[1], cases[i].high,
				    "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, write[0] & fixed[0], 0, "case %u", i);
	}
}

/* The reference limited another word than the flags */
static void msi_never_offers_more_than_there_is(struct kunit *test)
{
	unsigned int i;

	/* Both fields, every limit, active or not */
	for (i = 0; i < 8 * 8 * 6 * 2; i++) {
		unsigned int active = i % 2;
		unsigned int mmc = i / 2 % 8;
		unsigned int mme = i / 16 % 8;
		unsigned int qmax = i / 128;
		unsigned int max = min(mmc, active ? qmax : 5);
		u16 flags = 0x0181 | mmc << 1 | mme << 4;

		KUNIT_EXPECT_EQ(test,
				vfio_pci_msi_flags_shown(flags, active, qmax),
				0x0180 | max << 1 | min(mme, max) << 4 | active);
		KUNIT_EXPECT_EQ(test,
				vfio_pci_msi_flags_taken(flags, active, qmax),
				0x0180 | mmc << 1 | min(mme, max) << 4 | active);
	}
}

static struct kunit_case config_cases[] = {
	KUNIT_CASE(header_follows_the_contract),
	KUNIT_CASE(every_standard_byte_follows_the_contract),
	KUNIT_CASE(every_extended_byte_follows_the_contract),
	KUNIT_CASE(virtual_bits_begin_as_they_should),
	KUNIT_CASE(hidden_capabilities_leave_the_chain_whole),
	KUNIT_CASE(no_extended_capability_is_shown_as_none),
	KUNIT_CASE(a_status_without_list_shows_no_capability),
	KUNIT_CASE(loops_end),
	KUNIT_CASE(pointers_out_of_the_lists_end_them),
	KUNIT_CASE(first_extended_id_may_be_anything),
	KUNIT_CASE(lengths_are_clipped_to_the_space),
	KUNIT_CASE(a_space_may_have_any_size),
	KUNIT_CASE(overlapping_capabilities_share_nothing),
	KUNIT_CASE(only_the_first_of_a_kind_is_trapped),
	KUNIT_CASE(a_dead_device_has_no_capabilities),
	KUNIT_CASE(random_spaces_make_sound_maps),
	KUNIT_CASE(chunks_are_aligned_and_stay_in_a_capability),
	KUNIT_CASE(reads_mix_hardware_and_virtual_copy),
	KUNIT_CASE(writes_touch_no_more_bytes_than_they_change),
	KUNIT_CASE(gaps_are_the_hardware_s),
	KUNIT_CASE(bars_tell_their_size),
	KUNIT_CASE(msi_never_offers_more_than_there_is),
	{}
};

static struct kunit_suite config_suite = {
	.name = "vfio_pci_config",
	.test_cases = config_cases,
};

kunit_test_suite(config_suite);
