// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing the config space of an open device.
 *
 * A request of any length is cut into chunks. For each, the map tells which
 * bits come from the virtual copy and which the user may change; all others
 * are the hardware's. A few registers are trapped, because writing them must
 * do more than move bits.
 *
 * User memory is touched between blocks of chunks, never under a lock. The
 * hardware is reached by the functions made for user accesses, which wait
 * while a reset or a self test has the device.
 */
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <kunit/visibility.h>

#include "private.h"
#include "config.h"

/* A dump of a whole config space takes this many bytes at a time */
#define BLOCK_BYTES	32

struct pci_dev_io {
	struct vfio_pci_config_io io;
	struct pci_dev *pdev;
};

static struct pci_dev *io_pdev(const struct vfio_pci_config_io *io)
{
	return container_of(io, struct pci_dev_io, io)->pdev;
}

static int pci_dev_read(const struct vfio_pci_config_io *io, unsigned int pos,
			unsigned int bytes, u32 *val)
{
	struct pci_dev *pdev = io_pdev(io);
	u16 word = ~0;
	u8 byte = ~0;
	int ret;

	switch (bytes) {
	case 1:
		ret = pci_user_read_config_byte(pdev, pos, &byte);
		*val = byte;
		return ret;
	case 2:
		ret = pci_user_read_config_word(pdev, pos, &word);
		*val = word;
		return ret;
	default:
		return pci_user_read_config_dword(pdev, pos, val);
	}
}

static int pci_dev_write(const struct vfio_pci_config_io *io, unsigned int pos,
			 unsigned int bytes, u32 val)
{
	struct pci_dev *pdev = io_pdev(io);

	switch (bytes) {
	case 1:
		return pci_user_write_config_byte(pdev, pos, val);
	case 2:
		return pci_user_write_config_word(pdev, pos, val);
	default:
		return pci_user_write_config_dword(pdev, pos, val);
	}
}

static struct pci_dev_io pci_dev_io(struct vfio_pci_core_device *vdev)
{
	return (struct pci_dev_io) {
		.io = { .read = pci_dev_read, .write = pci_dev_write },
		.pdev = vdev->pdev,
	};
}

/**
 * vfio_pci_config_chunk() - Length of the next access
 * @map: the config space
 * @pos: where it begins
 * @count: bytes still to do, not 0
 *
 * Return: 1, 2 or 4: aligned, and not across the end of a capability
 */
unsigned int vfio_pci_config_chunk(const struct vfio_pci_config_map *map,
				   unsigned int pos, size_t count)
{
	unsigned int owned = map->dword[pos / 4].bytes;
	unsigned int in = pos % 4;
	unsigned int bytes = 4;

	count = min_t(size_t, count, (in < owned ? owned : 4) - in);
	while ((in & (bytes - 1)) || bytes > count)
		bytes /= 2;
	return bytes;
}

/**
 * vfio_pci_config_move_read() - Read a chunk that has no trap
 * @map: the config space
 * @vconfig: its virtual copy
 * @io: its hardware, left alone where the whole chunk is virtual
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: filled with the bits
 *
 * Return: 0, or what reading the hardware failed with
 */
int vfio_pci_config_move_read(const struct vfio_pci_config_map *map,
			      const u8 *vconfig,
			      const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int bytes, u32 *val)
{
	unsigned int shift = vfio_pci_chunk_shift(pos);
	u32 mask = vfio_pci_chunk_mask(bytes);
	u32 virt = (map->dword[pos / 4].virt >> shift) & mask;
	u32 bits = 0;
	int ret;

	if (virt != mask) {
		ret = io->read(io, pos, bytes, &bits);
		if (ret)
			return ret;
	}
	*val = (bits & ~virt) |
	       ((vfio_pci_vconfig_get(vconfig, pos) >> shift) & virt);
	return 0;
}

/**
 * vfio_pci_config_merge() - Change some bits of the hardware
 * @io: the config space
 * @pos: where the access begins
 * @bytes: its length
 * @bits: bits to change, within the access
 * @val: what to change them to
 *
 * Bits beside @bits keep their value by being read and written back, which
 * would clear a status bit that is cleared by writing a one. So as few bytes
 * as possible are written, and none is read when all bits of these change.
 *
 * Return: 0, or what the access failed with
 */
int vfio_pci_config_merge(const struct vfio_pci_config_io *io,
			  unsigned int pos, unsigned int bytes, u32 bits,
			  u32 val)
{
	u32 old;
	int ret;

	if (!bits)
		return 0;

	while (bytes > 1) {
		unsigned int half = bytes / 2;

		if (!(bits & vfio_pci_chunk_mask(half))) {
			pos += half;
			bits >>= 8 * half;
			val >>= 8 * half;
		} else if (bits >> (8 * half)) {
			break;
		}
		bytes = half;
	}

	if (bits != vfio_pci_chunk_mask(bytes)) {
		ret = io->read(io, pos, bytes, &old);
		if (ret)
			return ret;
		val = (val & bits) | (old & ~bits);
	}
	return io->write(io, pos, bytes, val & vfio_pci_chunk_mask(bytes));
}

/**
 * vfio_pci_config_move_write() - Write a chunk that has no trap
 * @map: the config space
 * @vconfig: its virtual copy
 * @io: its hardware
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what the user wrote
 *
 * What the user may not write is dropped without an error, as hardware does.
 *
 * Return: 0, or what the hardware failed with
 */
int vfio_pci_config_move_write(const struct vfio_pci_config_map *map,
			       u8 *vconfig,
			       const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int bytes, u32 val)
{
	const struct vfio_pci_config_dword *d = &map->dword[pos / 4];
	unsigned int shift = vfio_pci_chunk_shift(pos);
	u32 write = (d->write >> shift) & vfio_pci_chunk_mask(bytes);
	u32 virt = d->virt >> shift;

	if (write & virt) {
		u32 bits = (write & virt) << shift;
		u32 old = vfio_pci_vconfig_get(vconfig, pos);

		vfio_pci_vconfig_set(vconfig, pos,
				     (old & ~bits) | ((val << shift) & bits));
	}
	return vfio_pci_config_merge(io, pos, bytes, write & ~virt, val);
}

int vfio_pci_config_write_plain(struct vfio_pci_core_device *vdev,
				unsigned int pos, unsigned int bytes, u32 val)
{
	struct pci_dev_io hw = pci_dev_io(vdev);

	lockdep_assert_held(&vdev->config_lock);

	return vfio_pci_config_move_write(vdev->pci_config_map, vdev->vconfig,
					  &hw.io, pos, bytes, val);
}

int vfio_pci_config_write_hw(struct vfio_pci_core_device *vdev,
			     unsigned int pos, unsigned int bytes, u32 bits,
			     u32 val)
{
	struct pci_dev_io hw = pci_dev_io(vdev);

	return vfio_pci_config_merge(&hw.io, pos, bytes, bits, val);
}

/*
 * What a trapped register does. A write stands in for the plain one; a read
 * comes after it and may change what the user sees.
 */
static const struct {
	int (*write)(struct vfio_pci_core_device *vdev, unsigned int pos,
		     unsigned int bytes, u32 val);
	void (*read)(struct vfio_pci_core_device *vdev, unsigned int pos,
		     unsigned int bytes, u32 *val);
} traps[VFIO_PCI_NR_TRAPS] = {
	[VFIO_PCI_TRAP_NONE] = { .write = vfio_pci_config_write_plain },
	[VFIO_PCI_TRAP_COMMAND] = { .write = vfio_pci_command_write },
	[VFIO_PCI_TRAP_PM] = { .write = vfio_pci_pm_write },
	[VFIO_PCI_TRAP_VPD] = { .write = vfio_pci_vpd_write },
	[VFIO_PCI_TRAP_MSI] = {
		.write = vfio_pci_msi_flags_write,
		.read = vfio_pci_msi_flags_read,
	},
	[VFIO_PCI_TRAP_EXP] = { .write = vfio_pci_exp_write },
	[VFIO_PCI_TRAP_AF] = { .write = vfio_pci_af_write },
};

static int read_chunk(struct vfio_pci_core_device *vdev, unsigned int pos,
		      unsigned int bytes, u8 *buf)
{
	const struct vfio_pci_config_map *map = vdev->pci_config_map;
	struct pci_dev_io hw = pci_dev_io(vdev);
	unsigned int trap = map->dword[pos / 4].trap;
	__le32 le;
	u32 val;
	int ret;

	ret = vfio_pci_config_move_read(map, vdev->vconfig, &hw.io, pos, bytes,
					&val);
	if (ret)
		return ret;
	if (traps[trap].read)
		traps[trap].read(vdev, pos, bytes, &val);

	le = cpu_to_le32(val);
	if (bytes == sizeof(le))
		memcpy(buf, &le, sizeof(le));
	else
		memcpy(buf, &le, bytes);
	return 0;
}

static int write_chunk(struct vfio_pci_core_device *vdev, unsigned int pos,
		       unsigned int bytes, const u8 *buf)
{
	unsigned int trap = vdev->pci_config_map->dword[pos / 4].trap;
	__le32 le = 0;

	memcpy(&le, buf, bytes);
	return traps[trap].write(vdev, pos, bytes, le32_to_cpu(le));
}

/**
 * vfio_pci_config_block() - Read or write config space from kernel memory
 * @vdev: open device
 * @pos: where to begin
 * @buf: the bytes
 * @count: how many; all of them lie in config space
 * @iswrite: write
 *
 * Context: May sleep. Takes config_lock, and below it irq_lock or memory_lock.
 * Return: 0, or what the hardware failed with
 */
VISIBLE_IF_KUNIT int
vfio_pci_config_block(struct vfio_pci_core_device *vdev, unsigned int pos,
		      u8 *buf, size_t count, bool iswrite)
{
	unsigned int bytes;
	int ret;

	guard(mutex)(&vdev->config_lock);

	for (; count; pos += bytes, buf += bytes, count -= bytes) {
		bytes = vfio_pci_config_chunk(vdev->pci_config_map, pos, count);
		if (iswrite)
			ret = write_chunk(vdev, pos, bytes, buf);
		else
			ret = read_chunk(vdev, pos, bytes, buf);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vfio_pci_config_rw() - Read or write config space for the user
 * @vdev: open device, awake
 * @buf: user memory
 * @count: bytes
 * @start: offset within the region
 * @iswrite: write
 *
 * Context: May sleep. Takes config_lock, and below it irq_lock or memory_lock;
 * none of them while user memory is touched.
 * Return: bytes done, -EFAULT for a range that is not in config space or for
 * bad user memory, or what the hardware failed with
 */
ssize_t vfio_pci_config_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			   size_t count, loff_t start, bool iswrite)
{
	unsigned int size = vdev->pci_config_map->nr_dwords * 4;
	u8 block[BLOCK_BYTES];
	unsigned int pos;
	size_t done, len;
	int ret;

	if (start < 0 || start >= size || count > size - start)
		return -EFAULT;

	for (done = 0; done < count; done += len) {
		pos = array_index_nospec(start + done, size);
		len = min(count - done, BLOCK_BYTES - pos % BLOCK_BYTES);

		if (iswrite && !vfio_pci_fetch(block, buf + done, len))
			return -EFAULT;
		ret = vfio_pci_config_block(vdev, pos, block, len, iswrite);
		if (ret)
			return ret;
		if (!iswrite && !vfio_pci_deliver(buf + done, block, len))
			return -EFAULT;
	}
	return done;
}

/**
 * vfio_pci_config_open() - Make the config space that the user will see
 * @vdev: device that is being opened, in D0
 *
 * Context: May sleep; dev_set->lock held, before any access of the user.
 * Return: 0, or -ENOMEM
 */
int vfio_pci_config_open(struct vfio_pci_core_device *vdev)
{
	struct pci_dev_io hw = pci_dev_io(vdev);
	struct vfio_pci_config_map *map;
	u8 *vconfig;

	map = vfio_pci_config_map_alloc(vdev->pdev->cfg_size);
	if (!map)
		return -ENOMEM;
	vconfig = kvcalloc(map->nr_dwords, sizeof(u32), GFP_KERNEL_ACCOUNT);
	if (!vconfig) {
		kvfree(map);
		return -ENOMEM;
	}

	vfio_pci_config_map_build(map, vconfig, &hw.io);
	vdev->pci_config_map = map;
	vdev->vconfig = vconfig;
	vfio_pci_header_open(vdev);
	return 0;
}

/**
 * vfio_pci_config_close() - Drop the user's config space
 * @vdev: device that is being closed, or whose opening failed
 *
 * Context: May sleep; dev_set->lock held, after the last access of the user.
 */
void vfio_pci_config_close(struct vfio_pci_core_device *vdev)
{
	kvfree(vdev->vconfig);
	vdev->vconfig = NULL;
	kvfree(vdev->pci_config_map);
	vdev->pci_config_map = NULL;
}
