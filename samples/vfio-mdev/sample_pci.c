// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI function that is all in memory: configuration space, regions and
 * interrupts as VFIO users expect them, around a device model that knows its
 * registers only.
 *
 * Registers are accessed one at a time under the device's lock. After each
 * access the model is asked whether it wants an interrupt, since reads have
 * effects too. INTx is a level: it is signalled when it rises, masks itself
 * then, and is signalled again if it is still up when the user unmasks. MSI is
 * signalled when the wish arises. A stopped device signals nothing; what it
 * wanted to is made good when it runs again.
 *
 * No user memory is touched under the lock, and the unmask eventfd, whose
 * callback takes it, is installed and removed outside of it, under irq_lock.
 */
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "sample.h"

/* A region's place in the file: the index above, the offset below. */
#define OFFSET_SHIFT	40
#define OFFSET_MASK	(BIT_ULL(OFFSET_SHIFT) - 1)

#define MSI_CAP		0x40

/* --- Configuration space -------------------------------------------------- */

static void config_set16(struct sample_pci *pci, unsigned int at, u16 value,
			 u16 writable)
{
	put_unaligned_le16(value, pci->config + at);
	put_unaligned_le16(writable, pci->writable + at);
}

static void config_set32(struct sample_pci *pci, unsigned int at, u32 value,
			 u32 writable)
{
	put_unaligned_le32(value, pci->config + at);
	put_unaligned_le32(writable, pci->writable + at);
}

static u16 command(const struct sample_pci *pci)
{
	return get_unaligned_le16(pci->config + PCI_COMMAND);
}

/* One vector, a 64-bit address, no mask: the smallest form there is. */
static void add_irqs(struct sample_pci *pci)
{
	pci->config[PCI_INTERRUPT_PIN] = 1;
	pci->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	pci->config[PCI_CAPABILITY_LIST] = MSI_CAP;
	pci->config[MSI_CAP] = PCI_CAP_ID_MSI;
	config_set16(pci, MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT,
		     PCI_MSI_FLAGS_ENABLE);
	config_set32(pci, MSI_CAP + PCI_MSI_ADDRESS_LO, 0, ~3U);
	config_set32(pci, MSI_CAP + PCI_MSI_ADDRESS_HI, 0, ~0U);
	config_set16(pci, MSI_CAP + PCI_MSI_DATA_64, 0, 0xffff);
}

/**
 * sample_pci_init() - Make a function of zeroed memory
 * @pci: the function
 * @ops: its device model
 * @id: how it introduces itself
 *
 * Context: Process context, in ->init(). Pairs with sample_pci_destroy().
 */
void sample_pci_init(struct sample_pci *pci, const struct sample_pci_ops *ops,
		     const struct sample_pci_id *id)
{
	pci->ops = ops;
	mutex_init(&pci->lock);
	mutex_init(&pci->irq_lock);
	pci->irq_index = VFIO_PCI_NUM_IRQS;
	pci->is_running = true;
	pci->regions[VFIO_PCI_CONFIG_REGION_INDEX].size = SAMPLE_PCI_CONFIG_SIZE;

	config_set32(pci, PCI_VENDOR_ID, id->device << 16 | id->vendor, 0);
	config_set16(pci, PCI_COMMAND, 0,
		     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		     PCI_COMMAND_INTX_DISABLE);
	config_set32(pci, PCI_CLASS_REVISION, id->class << 8, 0);
	config_set32(pci, PCI_SUBSYSTEM_VENDOR_ID,
		     id->subsystem << 16 | id->subsystem_vendor, 0);
	pci->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	pci->writable[PCI_LATENCY_TIMER] = 0xff;
	pci->writable[PCI_INTERRUPT_LINE] = 0xff;
	if (id->has_irq)
		add_irqs(pci);
}
EXPORT_SYMBOL_GPL(sample_pci_init);

/**
 * sample_pci_destroy() - Undo sample_pci_init()
 * @pci: the function
 *
 * Context: Process context, in ->release().
 */
void sample_pci_destroy(struct sample_pci *pci)
{
	mutex_destroy(&pci->irq_lock);
	mutex_destroy(&pci->lock);
}
EXPORT_SYMBOL_GPL(sample_pci_destroy);

/**
 * sample_pci_add_bar() - Give the function a BAR
 * @pci: the function, before it is registered
 * @index: number of the BAR
 * @size: its size, a power of two
 * @kind: PCI_BASE_ADDRESS_* bits that tell what it is; 32 bits of address
 *
 * Context: Any.
 */
void sample_pci_add_bar(struct sample_pci *pci, unsigned int index, u32 size,
			u32 kind)
{
	pci->regions[index].size = size;
	config_set32(pci, PCI_BASE_ADDRESS_0 + 4 * index, kind, ~(size - 1));
}
EXPORT_SYMBOL_GPL(sample_pci_add_bar);

/**
 * sample_pci_add_own_region() - Give it a region that PCI knows nothing of
 * @pci: the function, before it is registered
 * @size: its size
 * @type: by which users know it
 * @subtype: likewise
 *
 * Context: Any.
 */
void sample_pci_add_own_region(struct sample_pci *pci, u64 size, u32 type,
			       u32 subtype)
{
	struct sample_pci_region *region = &pci->regions[SAMPLE_PCI_OWN_REGION];

	region->size = size;
	region->type = type;
	region->subtype = subtype;
}
EXPORT_SYMBOL_GPL(sample_pci_add_own_region);

/**
 * sample_pci_config_load() - Restore what users wrote to configuration space
 * @pci: the function
 * @from: SAMPLE_PCI_CONFIG_SIZE bytes of another function's configuration space
 *
 * Context: &sample_pci.lock held.
 */
void sample_pci_config_load(struct sample_pci *pci, const u8 *from)
{
	unsigned int i;

	lockdep_assert_held(&pci->lock);

	for (i = 0; i < SAMPLE_PCI_CONFIG_SIZE; i++)
		pci->config[i] = (pci->config[i] & ~pci->writable[i]) |
				 (from[i] & pci->writable[i]);
}
EXPORT_SYMBOL_GPL(sample_pci_config_load);

static u32 config_read(struct sample_pci *pci, unsigned int at,
		       unsigned int width)
{
	u32 value = 0;
	unsigned int i;

	for (i = 0; i < width; i++)
		value |= pci->config[at + i] << 8 * i;
	return value;
}

static void config_write(struct sample_pci *pci, unsigned int at,
			 unsigned int width, u32 value)
{
	unsigned int i;

	for (i = 0; i < width; i++, value >>= 8) {
		u8 writable = pci->writable[at + i];

		pci->config[at + i] = (pci->config[at + i] & ~writable) |
				      (value & writable);
	}
}

/* --- Interrupts ------------------------------------------------------------ */

static bool intx_is_disabled(const struct sample_pci *pci)
{
	return command(pci) & PCI_COMMAND_INTX_DISABLE;
}

static void signal_intx(struct sample_pci *pci)
{
	if (pci->is_masked || intx_is_disabled(pci))
		return;
	pci->is_masked = true;
	eventfd_signal(pci->trigger);
}

/**
 * sample_pci_update_irq() - Signal what the device model wants signalled
 * @pci: the function
 *
 * Called after each access by users; by the model when its state changed
 * otherwise, such as by migration.
 *
 * Context: &sample_pci.lock held.
 */
void sample_pci_update_irq(struct sample_pci *pci)
{
	bool is_asserting;

	lockdep_assert_held(&pci->lock);

	if (!pci->ops->is_asserting)
		return;

	is_asserting = pci->ops->is_asserting(pci);
	pci->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	if (is_asserting)
		pci->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	if (!pci->is_running)
		return;

	if (is_asserting && pci->trigger) {
		if (pci->irq_index == VFIO_PCI_INTX_IRQ_INDEX)
			signal_intx(pci);
		else if (!pci->was_asserting)
			eventfd_signal(pci->trigger);
	}
	pci->was_asserting = is_asserting;
}
EXPORT_SYMBOL_GPL(sample_pci_update_irq);

static unsigned int count_of_irq(const struct sample_pci *pci, unsigned int index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
	case VFIO_PCI_MSI_IRQ_INDEX:
		return pci->config[PCI_INTERRUPT_PIN] ? 1 : 0;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/* Takes ownership of @trigger, which may be NULL. */
static void set_trigger(struct sample_pci *pci, unsigned int index,
			struct eventfd_ctx *trigger)
{
	struct eventfd_ctx *old;

	lockdep_assert_held(&pci->irq_lock);

	mutex_lock(&pci->lock);
	if (index == VFIO_PCI_REQ_IRQ_INDEX) {
		old = pci->req_trigger;
		pci->req_trigger = trigger;
	} else {
		old = pci->trigger;
		pci->trigger = trigger;
		pci->irq_index = trigger ? index : VFIO_PCI_NUM_IRQS;
		/* A change of eventfds is no reason to unmask or signal. */
		if (!old || !trigger) {
			pci->is_masked = false;
			pci->was_asserting = false;
		}
		sample_pci_update_irq(pci);
	}
	mutex_unlock(&pci->lock);

	if (old)
		eventfd_ctx_put(old);
}

static bool is_enabled(struct sample_pci *pci, unsigned int index)
{
	if (index == VFIO_PCI_REQ_IRQ_INDEX)
		return pci->req_trigger;
	return pci->irq_index == index;
}

static void disable_irq(struct sample_pci *pci, unsigned int index)
{
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		vfio_virqfd_disable(&pci->unmask);
	if (is_enabled(pci, index))
		set_trigger(pci, index, NULL);
}

static void fire(struct sample_pci *pci, unsigned int index)
{
	guard(mutex)(&pci->lock);

	if (index == VFIO_PCI_REQ_IRQ_INDEX)
		eventfd_signal(pci->req_trigger);
	else
		eventfd_signal(pci->trigger);
}

static int enable_irq(struct sample_pci *pci, unsigned int index, s32 fd)
{
	struct eventfd_ctx *trigger;

	/* INTx or MSI, not both. */
	if (index != VFIO_PCI_REQ_IRQ_INDEX && pci->trigger &&
	    !is_enabled(pci, index))
		return -EINVAL;

	trigger = eventfd_ctx_fdget(fd);
	if (IS_ERR(trigger))
		return PTR_ERR(trigger);
	set_trigger(pci, index, trigger);
	return 0;
}

static int set_irq_trigger(struct sample_pci *pci, struct vfio_irq_set *hdr,
			   const void *data)
{
	unsigned int type = hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	s32 fd;

	if (type == VFIO_IRQ_SET_DATA_EVENTFD) {
		fd = *(const s32 *)data;
		if (fd >= 0)
			return enable_irq(pci, hdr->index, fd);
		if (fd != -1)
			return -EINVAL;
		disable_irq(pci, hdr->index);
		return 0;
	}

	if (!hdr->count) {
		if (type != VFIO_IRQ_SET_DATA_NONE)
			return -EINVAL;
		disable_irq(pci, hdr->index);
		return 0;
	}

	if (!is_enabled(pci, hdr->index))
		return -EINVAL;
	if (type == VFIO_IRQ_SET_DATA_NONE || *(const u8 *)data)
		fire(pci, hdr->index);
	return 0;
}

static void set_mask(struct sample_pci *pci, bool is_masked)
{
	guard(mutex)(&pci->lock);

	if (pci->irq_index != VFIO_PCI_INTX_IRQ_INDEX)
		return;
	pci->is_masked = is_masked;
	sample_pci_update_irq(pci);
}

/* The unmask eventfd was signalled; this runs in a worker. */
static void unmask_thread(void *opaque, void *unused)
{
	set_mask(opaque, false);
}

static int set_unmask_fd(struct sample_pci *pci, s32 fd)
{
	if (fd >= 0)
		return vfio_virqfd_enable(pci, NULL, unmask_thread, NULL,
					  &pci->unmask, fd);
	if (fd != -1)
		return -EINVAL;
	vfio_virqfd_disable(&pci->unmask);
	return 0;
}

static int set_irq_mask(struct sample_pci *pci, struct vfio_irq_set *hdr,
			const void *data)
{
	unsigned int type = hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	bool mask = hdr->flags & VFIO_IRQ_SET_ACTION_MASK;

	if (hdr->index != VFIO_PCI_INTX_IRQ_INDEX)
		return -ENOTTY;
	if (!is_enabled(pci, hdr->index) || !hdr->count)
		return -EINVAL;

	if (type == VFIO_IRQ_SET_DATA_EVENTFD)
		return mask ? -ENOTTY : set_unmask_fd(pci, *(const s32 *)data);
	if (type == VFIO_IRQ_SET_DATA_NONE || *(const u8 *)data)
		set_mask(pci, mask);
	return 0;
}

static long ioctl_set_irqs(struct sample_pci *pci, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set hdr;
	void *data = NULL;
	size_t size = 0;
	int ret;

	if (copy_from_user(&hdr, arg, minsz))
		return -EFAULT;

	ret = vfio_set_irqs_validate_and_prepare(&hdr,
						 count_of_irq(pci, hdr.index),
						 VFIO_PCI_NUM_IRQS, &size);
	if (ret)
		return ret;
	if (size) {
		data = memdup_user(arg + minsz, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	} else if (!(hdr.flags & VFIO_IRQ_SET_DATA_NONE)) {
		/* A count of 0 leaves nothing to read. */
		return -EINVAL;
	}

	mutex_lock(&pci->irq_lock);
	switch (hdr.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		ret = set_irq_trigger(pci, &hdr, data);
		break;
	case VFIO_IRQ_SET_ACTION_MASK:
	case VFIO_IRQ_SET_ACTION_UNMASK:
		ret = set_irq_mask(pci, &hdr, data);
		break;
	default:
		ret = -EINVAL;
	}
	mutex_unlock(&pci->irq_lock);

	kfree(data);
	return ret;
}

/**
 * sample_pci_request() - Ask the user to let go, by the REQ interrupt
 * @vdev: device of a sample
 * @count: how often it was asked before
 *
 * Context: Process context; for &vfio_device_ops.request.
 */
void sample_pci_request(struct vfio_device *vdev, unsigned int count)
{
	struct sample_pci *pci = to_sample_pci(vdev);

	guard(mutex)(&pci->lock);

	if (pci->req_trigger)
		eventfd_signal(pci->req_trigger);
}
EXPORT_SYMBOL_GPL(sample_pci_request);

/* --- Regions --------------------------------------------------------------- */

/* A register at a time, or a piece of memory. */
struct access {
	struct sample_pci *pci;
	unsigned int index;
	u64 offset;
	size_t left;
};

static int access_init(struct access *access, struct sample_pci *pci,
		       size_t count, loff_t pos)
{
	u64 index = (u64)pos >> OFFSET_SHIFT;
	u64 offset = (u64)pos & OFFSET_MASK;
	u64 size;

	if (index >= SAMPLE_PCI_NUM_REGIONS)
		return -EINVAL;
	index = array_index_nospec(index, SAMPLE_PCI_NUM_REGIONS);
	size = pci->regions[index].size;
	if (offset >= size)
		return -EINVAL;

	access->pci = pci;
	access->index = index;
	access->offset = offset;
	access->left = min_t(u64, count, size - offset);
	return 0;
}

/* The widest register access that the place allows. */
static unsigned int access_width(const struct access *access)
{
	if (!(access->offset & 3) && access->left >= 4)
		return 4;
	if (!(access->offset & 1) && access->left >= 2)
		return 2;
	return 1;
}

static void access_advance(struct access *access, size_t by)
{
	access->offset += by;
	access->left -= by;
}

static u32 read_register(const struct access *access, unsigned int width)
{
	struct sample_pci *pci = access->pci;
	u32 value;

	guard(mutex)(&pci->lock);

	if (access->index == VFIO_PCI_CONFIG_REGION_INDEX)
		return config_read(pci, access->offset, width);
	value = pci->ops->read(pci, access->index, access->offset, width);
	sample_pci_update_irq(pci);
	return value;
}

static int write_register(const struct access *access, unsigned int width,
			  u32 value)
{
	struct sample_pci *pci = access->pci;
	int ret = 0;

	guard(mutex)(&pci->lock);

	if (access->index == VFIO_PCI_CONFIG_REGION_INDEX)
		config_write(pci, access->offset, width, value);
	else
		ret = pci->ops->write(pci, access->index, access->offset,
				      width, value);
	sample_pci_update_irq(pci);
	return ret;
}

/**
 * sample_pci_read() - Read from the function's regions
 * @vdev: device of a sample
 * @buf: where to
 * @count: how much
 * @ppos: from where; moved on
 *
 * Context: Process context; for &vfio_device_ops.read.
 * Return: bytes read, up to the end of the region; -EINVAL for no region;
 * -EFAULT.
 */
ssize_t sample_pci_read(struct vfio_device *vdev, char __user *buf,
			size_t count, loff_t *ppos)
{
	struct access access;
	size_t done = 0;
	int ret;

	ret = access_init(&access, to_sample_pci(vdev), count, *ppos);
	if (ret)
		return ret;

	while (access.left) {
		u8 *mem = access.pci->regions[access.index].mem;
		size_t size = access_width(&access);
		__le32 value;

		if (mem) {
			size = access.left;
			if (copy_to_user(buf, mem + access.offset, size))
				return -EFAULT;
		} else {
			value = cpu_to_le32(read_register(&access, size));
			if (copy_to_user(buf + done, &value, size))
				return -EFAULT;
		}
		access_advance(&access, size);
		done += size;
	}
	*ppos += done;
	return done;
}
EXPORT_SYMBOL_GPL(sample_pci_read);

/**
 * sample_pci_write() - Write to the function's regions
 * @vdev: device of a sample
 * @buf: from where
 * @count: how much
 * @ppos: where to; moved on
 *
 * Context: Process context; for &vfio_device_ops.write.
 * Return: bytes written, up to the end of the region; -EINVAL for no region, or
 * a value that a register does not take; -EFAULT.
 */
ssize_t sample_pci_write(struct vfio_device *vdev, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct access access;
	size_t done = 0;
	int ret;

	ret = access_init(&access, to_sample_pci(vdev), count, *ppos);
	if (ret)
		return ret;

	while (access.left) {
		u8 *mem = access.pci->regions[access.index].mem;
		size_t size = access_width(&access);
		__le32 value = 0;

		if (mem) {
			size = access.left;
			if (copy_from_user(mem + access.offset, buf, size))
				return -EFAULT;
		} else {
			if (copy_from_user(&value, buf + done, size))
				return -EFAULT;
			ret = write_register(&access, size, le32_to_cpu(value));
			if (ret)
				return ret;
		}
		access_advance(&access, size);
		done += size;
	}
	*ppos += done;
	return done;
}
EXPORT_SYMBOL_GPL(sample_pci_write);

/**
 * sample_pci_mmap() - Map a region that is memory
 * @vdev: device of a sample
 * @vma: the mapping
 *
 * Context: Process context; for &vfio_device_ops.mmap.
 * Return: 0; -EINVAL for a private mapping, for registers, or past the end.
 */
int sample_pci_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct sample_pci *pci = to_sample_pci(vdev);
	u64 index = vma->vm_pgoff >> (OFFSET_SHIFT - PAGE_SHIFT);
	unsigned long pgoff = vma->vm_pgoff & (OFFSET_MASK >> PAGE_SHIFT);

	if (index >= SAMPLE_PCI_NUM_REGIONS || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	index = array_index_nospec(index, SAMPLE_PCI_NUM_REGIONS);
	if (!pci->regions[index].mem)
		return -EINVAL;
	/* Checks the range against what was allocated. */
	return remap_vmalloc_range(vma, pci->regions[index].mem, pgoff);
}
EXPORT_SYMBOL_GPL(sample_pci_mmap);

/* --- The device file -------------------------------------------------------- */

static void reset_locked(struct sample_pci *pci)
{
	u8 zero[SAMPLE_PCI_CONFIG_SIZE] = {};

	sample_pci_config_load(pci, zero);
	pci->is_running = true;
	pci->ops->reset(pci);
	sample_pci_update_irq(pci);
}

/**
 * sample_pci_open() - Start with a fresh device
 * @vdev: device of a sample
 *
 * Context: Process context; for &vfio_device_ops.open_device.
 * Return: 0.
 */
int sample_pci_open(struct vfio_device *vdev)
{
	struct sample_pci *pci = to_sample_pci(vdev);

	guard(mutex)(&pci->lock);

	reset_locked(pci);
	return 0;
}
EXPORT_SYMBOL_GPL(sample_pci_open);

/**
 * sample_pci_close() - Drop all that the user had set up
 * @vdev: device of a sample
 *
 * Context: Process context; for &vfio_device_ops.close_device.
 */
void sample_pci_close(struct vfio_device *vdev)
{
	struct sample_pci *pci = to_sample_pci(vdev);

	mutex_lock(&pci->irq_lock);
	disable_irq(pci, VFIO_PCI_INTX_IRQ_INDEX);
	disable_irq(pci, VFIO_PCI_MSI_IRQ_INDEX);
	disable_irq(pci, VFIO_PCI_REQ_IRQ_INDEX);
	mutex_unlock(&pci->irq_lock);

	mutex_lock(&pci->lock);
	reset_locked(pci);
	mutex_unlock(&pci->lock);
}
EXPORT_SYMBOL_GPL(sample_pci_close);

static long ioctl_info(struct sample_pci *pci, void __user *arg)
{
	struct vfio_device_info info = {};
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_device_info, num_irqs),
			    arg);
	if (ret)
		return ret;

	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	if (pci->regions[SAMPLE_PCI_OWN_REGION].size)
		info.num_regions = SAMPLE_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return vfio_info_reply(arg, &info, sizeof(info), &info.cap_offset,
			       NULL);
}

static long ioctl_region_info(struct sample_pci *pci, void __user *arg)
{
	struct vfio_region_info info = {};
	struct vfio_info_cap caps = {};
	struct sample_pci_region *region;
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_region_info, offset), arg);
	if (ret)
		return ret;
	if (info.index >= SAMPLE_PCI_NUM_REGIONS)
		return -EINVAL;
	info.index = array_index_nospec(info.index, SAMPLE_PCI_NUM_REGIONS);
	region = &pci->regions[info.index];
	if (info.index == SAMPLE_PCI_OWN_REGION && !region->size)
		return -EINVAL;

	info.flags = 0;
	info.size = region->size;
	info.offset = (u64)info.index << OFFSET_SHIFT;
	if (region->size)
		info.flags = VFIO_REGION_INFO_FLAG_READ |
			     VFIO_REGION_INFO_FLAG_WRITE;
	if (region->mem)
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (region->type) {
		struct vfio_region_info_cap_type type = {
			.header.id = VFIO_REGION_INFO_CAP_TYPE,
			.header.version = 1,
			.type = region->type,
			.subtype = region->subtype,
		};

		ret = vfio_info_add_capability(&caps, &type.header,
					       sizeof(type));
		if (ret)
			return ret;
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
	}

	ret = vfio_info_reply(arg, &info, sizeof(info), &info.cap_offset,
			      &caps);
	kfree(caps.buf);
	return ret;
}

static long ioctl_irq_info(struct sample_pci *pci, void __user *arg)
{
	struct vfio_irq_info info = {};
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_irq_info, count), arg);
	if (ret)
		return ret;
	/* No PCI Express, so no errors of it. */
	if (info.index >= VFIO_PCI_NUM_IRQS ||
	    info.index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;

	info.count = count_of_irq(pci, info.index);
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE |
			      VFIO_IRQ_INFO_AUTOMASKED;
	else
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	return vfio_info_reply(arg, &info, sizeof(info), NULL, NULL);
}

/**
 * sample_pci_ioctl() - The ioctls of any PCI device
 * @vdev: device of a sample
 * @cmd: the command
 * @arg: its argument
 *
 * Context: Process context; for &vfio_device_ops.ioctl, or its end.
 * Return: 0; -ENOTTY for another command; or the errnos of each.
 */
long sample_pci_ioctl(struct vfio_device *vdev, unsigned int cmd,
		      unsigned long arg)
{
	struct sample_pci *pci = to_sample_pci(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return ioctl_info(pci, uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return ioctl_region_info(pci, uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return ioctl_irq_info(pci, uarg);
	case VFIO_DEVICE_SET_IRQS:
		return ioctl_set_irqs(pci, uarg);
	case VFIO_DEVICE_RESET: {
		guard(mutex)(&pci->lock);
		reset_locked(pci);
		return 0;
	}
	default:
		return -ENOTTY;
	}
}
EXPORT_SYMBOL_GPL(sample_pci_ioctl);
