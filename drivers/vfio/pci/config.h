/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the config space know of each other.
 *
 * The room's words: a *map* describes each dword of a device's config space;
 * the *virtual copy* holds the bits that the user reads in place of the
 * hardware's; a *chunk* is one access of 1, 2 or 4 aligned bytes within one
 * capability; a *gap* is what no capability covers; a *trap* is a register
 * whose reading or writing does more than to move bits.
 */
#ifndef VFIO_PCI_CONFIG_H
#define VFIO_PCI_CONFIG_H

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/unaligned.h>

struct vfio_pci_core_device;

#define VFIO_PCI_NR_RBARS	7	/* six BARs and the ROM */

/**
 * struct vfio_pci_config_io - How to reach the registers of a config space
 *
 * @read: read 1, 2 or 4 aligned bytes; on an errno the value is all ones
 * @write: write 1, 2 or 4 aligned bytes
 */
struct vfio_pci_config_io {
	int (*read)(const struct vfio_pci_config_io *io, unsigned int pos,
		    unsigned int bytes, u32 *val);
	int (*write)(const struct vfio_pci_config_io *io, unsigned int pos,
		     unsigned int bytes, u32 val);
};

/* What a dword belongs to */
enum vfio_pci_config_kind {
	VFIO_PCI_CONFIG_GAP,	/* nothing: hardware, as it is */
	VFIO_PCI_CONFIG_HEADER,
	VFIO_PCI_CONFIG_CAP,
	VFIO_PCI_CONFIG_EXT_CAP,
	VFIO_PCI_CONFIG_HIDDEN,	/* a capability that users do not find */
};

/* Registers with a behaviour; config.c has the table of what they do */
enum vfio_pci_config_trap {
	VFIO_PCI_TRAP_NONE,
	VFIO_PCI_TRAP_COMMAND,
	VFIO_PCI_TRAP_PM,
	VFIO_PCI_TRAP_VPD,
	VFIO_PCI_TRAP_MSI,
	VFIO_PCI_TRAP_EXP,
	VFIO_PCI_TRAP_AF,
	VFIO_PCI_NR_TRAPS
};

/**
 * struct vfio_pci_config_dword - A dword of config space as the user meets it
 *
 * Masks are in the order of the little endian dword. A bit that is in neither
 * mask is the hardware's and read-only.
 *
 * @virt: bits that are read from the virtual copy, and written only there
 * @write: bits that the user may change
 * @cap: where the capability begins; 0 in gaps and in the header
 * @id: the capability's ID
 * @kind: enum vfio_pci_config_kind
 * @bytes: leading bytes that belong to the capability; a gap has the rest
 * @trap: enum vfio_pci_config_trap
 */
struct vfio_pci_config_dword {
	u32 virt;
	u32 write;
	u16 cap;
	u16 id;
	u8 kind;
	u8 bytes;
	u8 trap;
};

/**
 * struct vfio_pci_config_map - The config space of an open device
 *
 * @nr_dwords: size of the config space
 * @dword: one for each dword
 */
struct vfio_pci_config_map {
	unsigned int nr_dwords;
	struct vfio_pci_config_dword dword[] __counted_by(nr_dwords);
};

/**
 * struct vfio_pci_perm - What users may do with one dword of a capability
 *
 * @dword: which one, counted from the capability's start
 * @trap: enum vfio_pci_config_trap
 * @virt: see &struct vfio_pci_config_dword
 * @write: see &struct vfio_pci_config_dword
 * @zero: virtual bits that begin as 0 instead of the hardware's value
 */
struct vfio_pci_perm {
	u8 dword;
	u8 trap;
	u32 virt;
	u32 write;
	u32 zero;
};

#define VFIO_PCI_CAP_HIDDEN	BIT(0)	/* kept from the user */
#define VFIO_PCI_CAP_RAW	BIT(1)	/* writable wherever no row says other */
#define VFIO_PCI_CAP_SINGLE	BIT(2)	/* only the first of its kind counts */

/**
 * struct vfio_pci_cap_rule - How one kind of capability is shown
 *
 * @len: bytes, or the least that @measure may tell; 0 for a kind of unknown
 *	length
 * @min: without its first so many bytes it is of no use and hidden
 * @flags: VFIO_PCI_CAP_*
 * @nr_perms: elements of @perms
 * @perms: dwords that are more than read-only
 * @measure: asks the device for the length; the answer is not to be trusted
 * @layout: picks the rule that fits the capability's first dword
 */
struct vfio_pci_cap_rule {
	u16 len;
	u8 min;
	u8 flags;
	u8 nr_perms;
	const struct vfio_pci_perm *perms;
	unsigned int (*measure)(const struct vfio_pci_config_io *io,
				unsigned int pos, unsigned int limit);
	const struct vfio_pci_cap_rule *(*layout)(u32 first);
};

/* config_perm.c */
extern const struct vfio_pci_cap_rule vfio_pci_header_rule;
const struct vfio_pci_cap_rule *vfio_pci_cap_rule(unsigned int id, u32 first);
const struct vfio_pci_cap_rule *vfio_pci_ext_cap_rule(unsigned int id);
void vfio_pci_bar_perms(u64 size, unsigned long flags, u32 write[2],
			u32 fixed[2]);

/* config_len.c */
unsigned int vfio_pci_pcix_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit);
unsigned int vfio_pci_ht_len(const struct vfio_pci_config_io *io,
			     unsigned int pos, unsigned int limit);
unsigned int vfio_pci_vndr_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit);
unsigned int vfio_pci_exp_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit);
unsigned int vfio_pci_sata_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit);
unsigned int vfio_pci_ea_len(const struct vfio_pci_config_io *io,
			     unsigned int pos, unsigned int limit);
unsigned int vfio_pci_vc_len(const struct vfio_pci_config_io *io,
			     unsigned int pos, unsigned int limit);
unsigned int vfio_pci_vsec_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit);
unsigned int vfio_pci_acs_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit);
unsigned int vfio_pci_rebar_len(const struct vfio_pci_config_io *io,
				unsigned int pos, unsigned int limit);
unsigned int vfio_pci_dpa_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit);
unsigned int vfio_pci_tph_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit);

/* config_map.c */
struct vfio_pci_config_map *vfio_pci_config_map_alloc(unsigned int cfg_size);
void vfio_pci_config_map_build(struct vfio_pci_config_map *map, u8 *vconfig,
			       const struct vfio_pci_config_io *io);

static inline struct vfio_pci_config_dword *
vfio_pci_config_dword(struct vfio_pci_config_map *map, unsigned int pos)
{
	return &map->dword[pos / 4];
}

/* The virtual copy by dwords; vconfig is aligned and whole dwords long */
static inline u32 vfio_pci_vconfig_get(const u8 *vconfig, unsigned int pos)
{
	return get_unaligned_le32(vconfig + ALIGN_DOWN(pos, 4));
}

static inline void vfio_pci_vconfig_set(u8 *vconfig, unsigned int pos, u32 val)
{
	put_unaligned_le32(val, vconfig + ALIGN_DOWN(pos, 4));
}

/* A chunk's bits within its dword */
static inline u32 vfio_pci_chunk_mask(unsigned int bytes)
{
	return GENMASK(8 * bytes - 1, 0);
}

static inline unsigned int vfio_pci_chunk_shift(unsigned int pos)
{
	return 8 * (pos % 4);
}

/* config.c: moving bits */
unsigned int vfio_pci_config_chunk(const struct vfio_pci_config_map *map,
				   unsigned int pos, size_t count);
int vfio_pci_config_move_read(const struct vfio_pci_config_map *map,
			      const u8 *vconfig,
			      const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int bytes, u32 *val);
int vfio_pci_config_move_write(const struct vfio_pci_config_map *map,
			       u8 *vconfig,
			       const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int bytes, u32 val);
int vfio_pci_config_merge(const struct vfio_pci_config_io *io,
			  unsigned int pos, unsigned int bytes, u32 bits,
			  u32 val);
/* the same on an open device; write_plain with config_lock held */
int vfio_pci_config_write_plain(struct vfio_pci_core_device *vdev,
				unsigned int pos, unsigned int bytes, u32 val);
int vfio_pci_config_write_hw(struct vfio_pci_core_device *vdev,
			     unsigned int pos, unsigned int bytes, u32 bits,
			     u32 val);

/* config_header.c; config_lock held, but at open */
void vfio_pci_header_open(struct vfio_pci_core_device *vdev);
int vfio_pci_command_write(struct vfio_pci_core_device *vdev, unsigned int pos,
			   unsigned int bytes, u32 val);

/* config_caps.c; config_lock held */
int vfio_pci_pm_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		      unsigned int bytes, u32 val);
int vfio_pci_vpd_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		       unsigned int bytes, u32 val);
int vfio_pci_msi_flags_write(struct vfio_pci_core_device *vdev,
			     unsigned int pos, unsigned int bytes, u32 val);
void vfio_pci_msi_flags_read(struct vfio_pci_core_device *vdev,
			     unsigned int pos, unsigned int bytes, u32 *val);
int vfio_pci_exp_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		       unsigned int bytes, u32 val);
int vfio_pci_af_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		      unsigned int bytes, u32 val);

/* Statics that the tests see */
#if IS_ENABLED(CONFIG_KUNIT)
int vfio_pci_config_block(struct vfio_pci_core_device *vdev, unsigned int pos,
			  u8 *buf, size_t count, bool iswrite);
u16 vfio_pci_msi_flags_shown(u16 flags, bool active, unsigned int qmax);
u16 vfio_pci_msi_flags_taken(u16 flags, bool active, unsigned int qmax);
#endif

#endif /* VFIO_PCI_CONFIG_H */
