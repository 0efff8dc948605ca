// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map of a device's config space, made once from the lists of
 * capabilities that the device gives.
 *
 * The device is not trusted. Its lists may loop, run out of the config space,
 * overlap or hold IDs that do not exist; lengths may be anything. So each list
 * is walked twice. The first walk marks where capabilities begin, a dword at
 * most once, and notes their headers; a pointer to a place that is marked
 * already, or that is outside the list's part of config space, ends it. The
 * second goes by the notes alone, gives each capability the bytes it claims as
 * far as the next one that begins, and links those that users may find.
 *
 * Hence, whatever the device says: every dword belongs to one capability or
 * none, and the list in the virtual copy is finite and has only capabilities
 * that were described. Nothing here knows of struct pci_dev.
 */
#include <linux/bitmap.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "config.h"

/* One of the two lists while it is walked */
struct cap_list {
	struct vfio_pci_config_map *map;
	u8 *vconfig;
	const struct vfio_pci_config_io *io;
	bool extended;
	unsigned int start;	/* where capabilities may lie */
	unsigned int limit;
	unsigned int nr;	/* capabilities marked */
	unsigned int last;	/* the last one linked, 0 before the first */
	DECLARE_BITMAP(seen, PCI_CAP_ID_MAX + 1);
};

static u32 read_dword(const struct vfio_pci_config_io *io, unsigned int pos)
{
	u32 val;

	io->read(io, pos, sizeof(u32), &val);
	return val;
}

static unsigned int header_id(const struct cap_list *list, u32 header)
{
	return list->extended ? PCI_EXT_CAP_ID(header) : header & 0xff;
}

static unsigned int header_next(const struct cap_list *list, u32 header)
{
	return list->extended ? PCI_EXT_CAP_NEXT(header) : (header >> 8) & 0xfc;
}

/* Is this no capability at all, but the answer of empty space? */
static bool header_is_void(const struct cap_list *list, u32 header)
{
	if (list->extended)
		return !header || header == ~0U;
	return (header & 0xff) == 0xff;
}

static bool begins_at(const struct cap_list *list, unsigned int pos)
{
	const struct vfio_pci_config_dword *d =
		vfio_pci_config_dword(list->map, pos);

	return d->kind != VFIO_PCI_CONFIG_GAP && d->cap == pos;
}

static void mark_caps(struct cap_list *list, unsigned int pos)
{
	while (pos >= list->start && pos < list->limit &&
	       !begins_at(list, pos)) {
		struct vfio_pci_config_dword *d =
			vfio_pci_config_dword(list->map, pos);
		u32 header = read_dword(list->io, pos);

		if (header_is_void(list, header))
			return;

		d->kind = VFIO_PCI_CONFIG_HIDDEN;
		d->cap = pos;
		d->id = header_id(list, header);
		vfio_pci_vconfig_set(list->vconfig, pos, header);
		list->nr++;
		pos = header_next(list, header);
	}
}

/* Bytes up to the next capability, in whichever order the list has them */
static unsigned int room_at(const struct cap_list *list, unsigned int pos)
{
	unsigned int end = pos + 4;

	while (end < list->limit && !begins_at(list, end))
		end += 4;
	return end - pos;
}

/* Let the user find the capability at pos; 0 ends the list */
static void link_cap(struct cap_list *list, unsigned int pos)
{
	u8 *vconfig = list->vconfig;

	if (!list->extended) {
		vconfig[list->last ? list->last + PCI_CAP_LIST_NEXT :
				     PCI_CAPABILITY_LIST] = pos;
	} else if (list->last) {
		u32 header = vfio_pci_vconfig_get(vconfig, list->last);

		vfio_pci_vconfig_set(vconfig, list->last,
				     (header & GENMASK(19, 0)) | pos << 20);
	}
	list->last = pos;
}

/*
 * Describe the dwords of a capability, or of the header. The dword at its end
 * may be shared with a gap, whose bits are the hardware's.
 */
static void describe(struct vfio_pci_config_map *map, u8 *vconfig,
		     const struct vfio_pci_config_io *io, unsigned int pos,
		     unsigned int len, enum vfio_pci_config_kind kind,
		     const struct vfio_pci_cap_rule *rule)
{
	struct vfio_pci_config_dword *first = vfio_pci_config_dword(map, pos);
	bool raw = rule && (rule->flags & VFIO_PCI_CAP_RAW);
	unsigned int at;
	unsigned int i;

	for (at = 0; at < len; at += 4) {
		struct vfio_pci_config_dword *d = first + at / 4;

		d->cap = pos;
		d->id = first->id;
		d->kind = kind;
		d->bytes = min(len - at, 4U);
		d->write = raw && kind != VFIO_PCI_CONFIG_HIDDEN ? ~0U : 0;
	}

	if (kind == VFIO_PCI_CONFIG_CAP)
		first->virt = 0xffff;
	else if (kind == VFIO_PCI_CONFIG_EXT_CAP)
		first->virt = ~0U;
	first->write &= ~first->virt;

	for (i = 0; kind != VFIO_PCI_CONFIG_HIDDEN && i < rule->nr_perms; i++) {
		const struct vfio_pci_perm *perm = &rule->perms[i];
		struct vfio_pci_config_dword *d = first + perm->dword;
		unsigned int off = perm->dword * 4;
		u32 val;

		if (off >= len)
			continue;
		d->virt |= perm->virt;
		d->write |= perm->write;
		d->trap = perm->trap;

		/* A capability's first dword was noted when it was marked */
		if (off || kind == VFIO_PCI_CONFIG_HEADER)
			val = read_dword(io, pos + off);
		else
			val = vfio_pci_vconfig_get(vconfig, pos);
		vfio_pci_vconfig_set(vconfig, pos + off, val & ~perm->zero);
	}

	if (len % 4) {
		struct vfio_pci_config_dword *d = first + len / 4;
		u32 ours = vfio_pci_chunk_mask(d->bytes);

		d->virt &= ours;
		d->write |= ~ours;
	}
}

/* Show or hide the capability at pos, whose header is in the virtual copy */
static void show_cap(struct cap_list *list, unsigned int pos)
{
	u32 header = vfio_pci_vconfig_get(list->vconfig, pos);
	unsigned int id = header_id(list, header);
	const struct vfio_pci_cap_rule *rule =
		list->extended ? vfio_pci_ext_cap_rule(id) :
				 vfio_pci_cap_rule(id, header);
	enum vfio_pci_config_kind kind = list->extended ?
		VFIO_PCI_CONFIG_EXT_CAP : VFIO_PCI_CONFIG_CAP;
	unsigned int len = PCI_CAP_SIZEOF;

	if (rule) {
		len = rule->len;
		if (rule->measure)
			len = max(len, rule->measure(list->io, pos,
						     list->limit));
	}
	len = min(len, room_at(list, pos));

	if (!rule || (rule->flags & VFIO_PCI_CAP_HIDDEN) || len < rule->min)
		kind = VFIO_PCI_CONFIG_HIDDEN;
	else if ((rule->flags & VFIO_PCI_CAP_SINGLE) &&
		 __test_and_set_bit(id, list->seen))
		kind = VFIO_PCI_CONFIG_HIDDEN;

	describe(list->map, list->vconfig, list->io, pos, len, kind, rule);

	if (kind != VFIO_PCI_CONFIG_HIDDEN) {
		link_cap(list, pos);
	} else if (list->extended && pos == list->start) {
		/*
		 * Nothing points at the first extended capability, so it cannot
		 * be left out: an empty one stands in its place.
		 */
		vfio_pci_config_dword(list->map, pos)->virt = ~0U;
		vfio_pci_vconfig_set(list->vconfig, pos, 0);
		link_cap(list, pos);
	}
}

static void show_caps(struct cap_list *list, unsigned int pos)
{
	for (; list->nr; list->nr--) {
		u32 header = vfio_pci_vconfig_get(list->vconfig, pos);

		show_cap(list, pos);
		pos = header_next(list, header);
	}
	link_cap(list, 0);
}

static void build_list(struct cap_list *list, unsigned int first)
{
	mark_caps(list, first);
	show_caps(list, first);
}

/**
 * vfio_pci_config_map_alloc() - Make an empty map
 * @cfg_size: bytes of the device's config space
 *
 * Context: May sleep.
 * Return: the map, for kvfree(), or NULL
 */
struct vfio_pci_config_map *vfio_pci_config_map_alloc(unsigned int cfg_size)
{
	unsigned int nr = max(cfg_size, PCI_STD_HEADER_SIZEOF) / 4;
	struct vfio_pci_config_map *map;

	map = kvzalloc(struct_size(map, dword, nr), GFP_KERNEL_ACCOUNT);
	if (map)
		map->nr_dwords = nr;
	return map;
}

/**
 * vfio_pci_config_map_build() - Describe a config space
 * @map: empty map
 * @vconfig: virtual copy to fill, zeroed, 4 bytes for each dword of @map
 * @io: the config space
 *
 * BARs are left without a writable bit: their sizes are not for the config
 * space to tell.
 *
 * Context: May sleep if @io does.
 */
void vfio_pci_config_map_build(struct vfio_pci_config_map *map, u8 *vconfig,
			       const struct vfio_pci_config_io *io)
{
	unsigned int size = map->nr_dwords * 4;
	struct cap_list standard = {
		.map = map, .vconfig = vconfig, .io = io,
		.start = PCI_STD_HEADER_SIZEOF,
		.limit = min(size, PCI_CFG_SPACE_SIZE),
	};
	struct cap_list extended = {
		.map = map, .vconfig = vconfig, .io = io, .extended = true,
		.start = PCI_CFG_SPACE_SIZE,
		.limit = size,
	};
	unsigned int first = 0;
	unsigned int i;

	for (i = 0; i < map->nr_dwords; i++)
		map->dword[i] = (struct vfio_pci_config_dword){ .write = ~0U };

	describe(map, vconfig, io, 0, PCI_STD_HEADER_SIZEOF,
		 VFIO_PCI_CONFIG_HEADER, &vfio_pci_header_rule);

	if (vconfig[PCI_STATUS] & PCI_STATUS_CAP_LIST)
		first = vconfig[PCI_CAPABILITY_LIST] & ~3;
	build_list(&standard, first);
	build_list(&extended, PCI_CFG_SPACE_SIZE);
}
