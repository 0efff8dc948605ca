// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing registers for a user, by accesses of the width that the
 * registers take, each behind the gate.
 *
 * User memory is never touched inside the gate: a fault on it could need the
 * mmap_lock, which is outside memory_lock, and could wait for user space. Data
 * goes through a small buffer, filled before or emptied after the gate.
 */
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "private.h"
#include "trace.h"

/* Data moved in one passage of the gate; a multiple of the widest access. */
#define BOUNCE_SIZE	128

/* Closes the gate again where it says no. */
static int check_gate(struct vfio_pci_core_device *vdev, unsigned int gate)
{
	enum vfio_pci_shut why;

	if ((gate & VFIO_PCI_GATE_NO_SLEEP) && vdev->pm_runtime_engaged)
		why = VFIO_PCI_SHUT_LOW_POWER;
	else if ((gate & VFIO_PCI_GATE_POWER) &&
		 vfio_pci_is_asleep(vdev->pdev->current_state))
		why = VFIO_PCI_SHUT_ASLEEP;
	else if ((gate & VFIO_PCI_GATE_DECODE) &&
		 !vfio_pci_memory_enabled(vdev))
		why = VFIO_PCI_SHUT_DECODE;
	else
		return 0;

	up_read(&vdev->memory_lock);
	trace_vfio_pci_refuse_access(vdev->pdev, why);
	return -EIO;
}

/**
 * vfio_pci_gate_begin() - Begin to touch registers
 * @vdev: the device, open; runtime resumed, or NO_SLEEP asked for
 * @gate: VFIO_PCI_GATE_*, what the touch depends on
 *
 * Until vfio_pci_gate_end() the answer stays true: no reset, change of power
 * or of decode comes between.
 *
 * Context: Process context. Takes memory_lock for reading, not recursively.
 * Return: 0, or -EIO with the gate closed again.
 */
int vfio_pci_gate_begin(struct vfio_pci_core_device *vdev, unsigned int gate)
{
	down_read(&vdev->memory_lock);
	return check_gate(vdev, gate);
}

/* The same from where nothing may sleep; -EAGAIN where it would have to. */
int vfio_pci_gate_try_begin(struct vfio_pci_core_device *vdev,
			    unsigned int gate)
{
	if (!down_read_trylock(&vdev->memory_lock))
		return -EAGAIN;
	return check_gate(vdev, gate);
}

void vfio_pci_gate_end(struct vfio_pci_core_device *vdev)
{
	up_read(&vdev->memory_lock);
}

/* Data is the image of the bytes as they lie on the bus, as users see it. */
static void read_register(void __iomem *io, void *to, unsigned int width)
{
	switch (width) {
	case 8:
		*(__le64 *)to = cpu_to_le64(ioread64(io));
		break;
	case 4:
		*(__le32 *)to = cpu_to_le32(ioread32(io));
		break;
	case 2:
		*(__le16 *)to = cpu_to_le16(ioread16(io));
		break;
	default:
		*(u8 *)to = ioread8(io);
	}
}

static void write_register(void __iomem *io, const void *from,
			   unsigned int width)
{
	switch (width) {
	case 8:
		iowrite64(le64_to_cpu(*(const __le64 *)from), io);
		break;
	case 4:
		iowrite32(le32_to_cpu(*(const __le32 *)from), io);
		break;
	case 2:
		iowrite16(le16_to_cpu(*(const __le16 *)from), io);
		break;
	default:
		iowrite8(*(const u8 *)from, io);
	}
}

static int read_gated(struct vfio_pci_core_device *vdev, bool test_mem,
		      void __iomem *io, void *to, unsigned int width)
{
	int ret;

	ret = vfio_pci_gate_begin(vdev, test_mem ? VFIO_PCI_GATE_MEMORY :
						   VFIO_PCI_GATE_LOCK);
	if (ret)
		return ret;
	read_register(io, to, width);
	vfio_pci_gate_end(vdev);
	return 0;
}

static int write_gated(struct vfio_pci_core_device *vdev, bool test_mem,
		       void __iomem *io, const void *from, unsigned int width)
{
	int ret;

	ret = vfio_pci_gate_begin(vdev, test_mem ? VFIO_PCI_GATE_MEMORY :
						   VFIO_PCI_GATE_LOCK);
	if (ret)
		return ret;
	write_register(io, from, width);
	vfio_pci_gate_end(vdev);
	return 0;
}

/**
 * vfio_pci_core_ioread8() - Read a register of one byte
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: set to its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_ioread8(struct vfio_pci_core_device *vdev, bool test_mem,
			  u8 *val, void __iomem *io)
{
	return read_gated(vdev, test_mem, io, val, sizeof(*val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread8);

/**
 * vfio_pci_core_iowrite8() - Write a register of one byte
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_iowrite8(struct vfio_pci_core_device *vdev, bool test_mem,
			   u8 val, void __iomem *io)
{
	return write_gated(vdev, test_mem, io, &val, sizeof(val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite8);

/**
 * vfio_pci_core_ioread16() - Read a register of two bytes
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: set to its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_ioread16(struct vfio_pci_core_device *vdev, bool test_mem,
			   u16 *val, void __iomem *io)
{
	return read_gated(vdev, test_mem, io, val, sizeof(*val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread16);

/**
 * vfio_pci_core_iowrite16() - Write a register of two bytes
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_iowrite16(struct vfio_pci_core_device *vdev, bool test_mem,
			    u16 val, void __iomem *io)
{
	return write_gated(vdev, test_mem, io, &val, sizeof(val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite16);

/**
 * vfio_pci_core_ioread32() - Read a register of four bytes
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: set to its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_ioread32(struct vfio_pci_core_device *vdev, bool test_mem,
			   u32 *val, void __iomem *io)
{
	return read_gated(vdev, test_mem, io, val, sizeof(*val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread32);

/**
 * vfio_pci_core_iowrite32() - Write a register of four bytes
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_iowrite32(struct vfio_pci_core_device *vdev, bool test_mem,
			    u32 val, void __iomem *io)
{
	return write_gated(vdev, test_mem, io, &val, sizeof(val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite32);

/**
 * vfio_pci_core_ioread64() - Read a register of eight bytes
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: set to its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_ioread64(struct vfio_pci_core_device *vdev, bool test_mem,
			   u64 *val, void __iomem *io)
{
	return read_gated(vdev, test_mem, io, val, sizeof(*val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread64);

/**
 * vfio_pci_core_iowrite64() - Write a register of eight bytes
 * @vdev: the device, enabled
 * @test_mem: it is in a memory BAR: touch it only while memory is decoded
 * @val: its bytes, in the order of the bus
 * @io: where it is mapped
 *
 * Context: Process context. Takes and releases memory_lock for reading.
 * Return: 0, or -EIO where the device is asleep or does not decode memory.
 */
int vfio_pci_core_iowrite64(struct vfio_pci_core_device *vdev, bool test_mem,
			    u64 val, void __iomem *io)
{
	return write_gated(vdev, test_mem, io, &val, sizeof(val));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite64);

/* What an access to a mapped region looks like; offsets count from @io. */
struct io_window {
	void __iomem *io;
	unsigned int gate;		/* VFIO_PCI_GATE_* */
	enum vfio_pci_io_width max_width;
	u64 x_start;		/* [x_start, x_end) reads as ones, drops writes */
	u64 x_end;
};

/* Gate open. @buf is as aligned as @off. */
void vfio_pci_move_registers(void __iomem *io,
			     enum vfio_pci_io_width max_width, u64 off,
			     u8 *buf, size_t count, bool iswrite)
{
	while (count) {
		unsigned int width = vfio_pci_io_width(off, count, max_width);

		if (iswrite)
			write_register(io + off, buf, width);
		else
			read_register(io + off, buf, width);

		off += width;
		buf += width;
		count -= width;
	}
}

static int move_chunk(struct vfio_pci_core_device *vdev,
		      const struct io_window *win, u64 off, char __user *ubuf,
		      size_t count, bool iswrite)
{
	u64 bounce[BOUNCE_SIZE / sizeof(u64)];
	u8 *buf = (u8 *)bounce + off % sizeof(u64);
	int ret;

	if (iswrite && !vfio_pci_fetch(buf, ubuf, count))
		return -EFAULT;

	ret = vfio_pci_gate_begin(vdev, win->gate);
	if (ret)
		return ret;
	vfio_pci_move_registers(win->io, win->max_width, off, buf, count,
				iswrite);
	vfio_pci_gate_end(vdev);

	if (!iswrite && !vfio_pci_deliver(ubuf, buf, count))
		return -EFAULT;
	return 0;
}

/* No register is touched, so nothing depends on the gate. */
static int skip_chunk(char __user *ubuf, size_t count, bool iswrite)
{
	u8 ones[BOUNCE_SIZE];

	if (iswrite)
		return 0;

	memset(ones, 0xff, count);
	return copy_to_user(ubuf, ones, count) ? -EFAULT : 0;
}

/* The next chunk is all inside the part that is left out, or all outside. */
static size_t next_chunk(const struct io_window *win, u64 off, size_t count)
{
	count = min_t(u64, count, BOUNCE_SIZE - off % sizeof(u64));
	if (off < win->x_start)
		return min_t(u64, count, win->x_start - off);
	if (off < win->x_end)
		return min_t(u64, count, win->x_end - off);
	return count;
}

/*
 * Return: the bytes moved, fewer than asked only where the caller is being
 * killed; or an errno, also where registers became unreachable on the way: a
 * user must not take that for the end of the region.
 */
static ssize_t move_io(struct vfio_pci_core_device *vdev,
		       const struct io_window *win, u64 off, char __user *ubuf,
		       size_t count, bool iswrite)
{
	size_t done = 0;

	while (done < count) {
		u64 at = off + done;
		size_t chunk = next_chunk(win, at, count - done);
		int ret;

		if (at >= win->x_start && at < win->x_end)
			ret = skip_chunk(ubuf + done, chunk, iswrite);
		else
			ret = move_chunk(vdev, win, at, ubuf + done, chunk,
					 iswrite);
		if (ret)
			return ret;

		done += chunk;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

/**
 * vfio_pci_core_do_io_rw() - Move data between a user and mapped registers
 * @vdev: the device, enabled
 * @test_mem: the registers are in a memory BAR; touch them only while the
 *	device is awake and decodes memory
 * @io: where the registers are mapped
 * @buf: the user's buffer
 * @off: first byte, from @io on
 * @count: bytes
 * @x_start: from here on ...
 * @x_end: ... up to here reads give ones and writes are dropped
 * @iswrite: whether the registers are written
 * @max_width: widest access that they take
 *
 * Accesses are as wide as alignment, @count and @max_width allow.
 *
 * Context: Process context that may fault user pages. Takes and releases
 * memory_lock for reading.
 * Return: the bytes done, less than @count only where the caller is being
 * killed; -EFAULT for a bad @buf; -EIO where the device does not decode memory.
 */
ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem,
			       void __iomem *io, char __user *buf,
			       loff_t off, size_t count, size_t x_start,
			       size_t x_end, bool iswrite,
			       enum vfio_pci_io_width max_width)
{
	const struct io_window win = {
		.io = io,
		.gate = test_mem ? VFIO_PCI_GATE_MEMORY : VFIO_PCI_GATE_LOCK,
		.max_width = max_width,
		.x_start = x_start,
		.x_end = x_end,
	};

	return move_io(vdev, &win, off, buf, count, iswrite);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_do_io_rw);

/* The start is inside the region, or -EINVAL; what lies beyond is cut off. */
static int clip_to_region(u64 pos, size_t *count, u64 size)
{
	if (pos >= size)
		return -EINVAL;

	*count = min_t(u64, *count, size - pos);
	return 0;
}

ssize_t vfio_pci_bar_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			char __user *buf, size_t count, loff_t *ppos,
			bool iswrite)
{
	bool is_memory = pci_resource_flags(vdev->pdev, index) & IORESOURCE_MEM;
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	struct io_window win = {
		.io = vdev->barmap[index],
		.gate = is_memory ? VFIO_PCI_GATE_MEMORY : VFIO_PCI_GATE_POWER,
		.max_width = is_memory ? VFIO_PCI_IO_WIDTH_8 :
					 VFIO_PCI_IO_WIDTH_4,
	};
	ssize_t ret;

	ret = clip_to_region(pos, &count,
			     pci_resource_len(vdev->pdev, index));
	if (!ret)
		ret = vfio_pci_core_setup_barmap(vdev, index);
	if (ret)
		return ret;

	/* The kernel alone writes vectors; users go through SET_IRQS. */
	if (vdev->msix_size && index == vdev->msix_bar) {
		win.x_start = vdev->msix_offset;
		win.x_end = (u64)vdev->msix_offset + vdev->msix_size;
	}

	ret = move_io(vdev, &win, pos, buf, count, iswrite);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

/* Read part of the ROM; behind its image there are ones. */
static int read_rom(struct vfio_pci_core_device *vdev, u64 pos, u8 *buf,
		    size_t count)
{
	void __iomem *io;
	size_t image;
	int ret;

	memset(buf, 0xff, count);

	/* Who is done first must not switch the ROM off under another. */
	mutex_lock(&vdev->rom_lock);
	ret = vfio_pci_gate_begin(vdev, VFIO_PCI_GATE_MEMORY);
	if (ret)
		goto out_unlock;

	io = pci_map_rom(vdev->pdev, &image);
	if (io) {
		if (pos < image)
			vfio_pci_move_registers(io, VFIO_PCI_IO_WIDTH_4, pos,
						buf, min_t(u64, count,
							   image - pos), false);
		pci_unmap_rom(vdev->pdev, io);
	} else {
		ret = -EIO;
	}
	vfio_pci_gate_end(vdev);

out_unlock:
	mutex_unlock(&vdev->rom_lock);
	return ret;
}

static ssize_t copy_rom(struct vfio_pci_core_device *vdev, u64 pos,
			char __user *buf, size_t count, u8 *bounce)
{
	size_t done = 0;

	while (done < count) {
		/* The buffer is filled as aligned as the ROM is read. */
		size_t skew = (pos + done) % sizeof(u32);
		size_t chunk = min_t(size_t, count - done, PAGE_SIZE - skew);
		int ret;

		ret = read_rom(vdev, pos + done, bounce + skew, chunk);
		if (ret)
			return ret;
		if (copy_to_user(buf + done, bounce + skew, chunk))
			return -EFAULT;

		done += chunk;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

ssize_t vfio_pci_rom_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			char __user *buf, size_t count, loff_t *ppos,
			bool iswrite)
{
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	ssize_t ret;
	u8 *bounce;

	if (iswrite)
		return -EINVAL;
	ret = clip_to_region(pos, &count, vdev->rom_size);
	if (ret)
		return ret;

	bounce = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;

	ret = copy_rom(vdev, pos, buf, count, bounce);
	kfree(bounce);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

/**
 * vfio_pci_core_range_intersect_range() - Does an access touch a register?
 * @buf_start: first byte of the access
 * @buf_cnt: bytes of the access
 * @reg_start: first byte of the register
 * @reg_cnt: bytes of the register
 * @buf_offset: set to where the common bytes begin within the access
 * @intersect_count: set to the number of common bytes
 * @register_offset: set to where they begin within the register
 *
 * Context: Any.
 * Return: true, and the three are set, where there are common bytes.
 */
bool vfio_pci_core_range_intersect_range(loff_t buf_start, size_t buf_cnt,
					 loff_t reg_start, size_t reg_cnt,
					 loff_t *buf_offset,
					 size_t *intersect_count,
					 size_t *register_offset)
{
	loff_t first = max(buf_start, reg_start);
	u64 in_buf = first - buf_start;
	u64 in_reg = first - reg_start;

	if (in_buf >= buf_cnt || in_reg >= reg_cnt)
		return false;

	*buf_offset = in_buf;
	*register_offset = in_reg;
	*intersect_count = min_t(u64, buf_cnt - in_buf, reg_cnt - in_reg);
	return true;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_range_intersect_range);
