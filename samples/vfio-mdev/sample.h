/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sample devices have in common, so that each sample shows its device
 * and little else: a parent that is no hardware, and a PCI function made of
 * memory.
 */
#ifndef VFIO_MDEV_SAMPLE_H
#define VFIO_MDEV_SAMPLE_H

#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/vfio.h>

struct eventfd_ctx;

/* --- sample_parent.c: a parent below /sys/devices/virtual ---------------- */

/**
 * struct sample_parent - A parent device that stands for no hardware
 * @class: its class, of the module's name
 * @dev: the device, of the same name
 * @parent: what mediated devices are made of
 */
struct sample_parent {
	struct class *class;
	struct device *dev;
	struct mdev_parent parent;
};

int sample_parent_register(struct sample_parent *sample, const char *name,
			   struct mdev_driver *driver,
			   struct mdev_type **types, unsigned int nr_types);
void sample_parent_unregister(struct sample_parent *sample,
			      struct mdev_driver *driver);

/* --- sample_pci.c: a PCI function made of memory ------------------------- */

struct sample_pci;

#define SAMPLE_PCI_CONFIG_SIZE	256
/* Those of any PCI device, and one of the device's own. */
#define SAMPLE_PCI_OWN_REGION	VFIO_PCI_NUM_REGIONS
#define SAMPLE_PCI_NUM_REGIONS	(SAMPLE_PCI_OWN_REGION + 1)

/**
 * struct sample_pci_ops - What makes a PCI function the device it is
 * @read: read a register: region, offset, and width of 1, 2 or 4 bytes, which
 *	the offset is a multiple of
 * @write: write a register likewise; returns 0, or -EINVAL for a value that the
 *	device cannot take, of which only the user shall be told
 * @is_asserting: does the device want an interrupt now? Optional.
 * @reset: make the device what it was when it was created
 *
 * All are called with &sample_pci.lock held.
 */
struct sample_pci_ops {
	u32 (*read)(struct sample_pci *pci, unsigned int index, u64 offset,
		    unsigned int width);
	int (*write)(struct sample_pci *pci, unsigned int index, u64 offset,
		     unsigned int width, u32 value);
	bool (*is_asserting)(struct sample_pci *pci);
	void (*reset)(struct sample_pci *pci);
};

/**
 * struct sample_pci_region - A region of the function
 * @size: bytes; 0 for a region that is not there
 * @mem: memory from vmalloc_user() behind a region that is nothing but memory
 *	and can be mapped; NULL for registers
 * @type: &vfio_region_info_cap_type.type, for a region of the device's own
 * @subtype: &vfio_region_info_cap_type.subtype
 */
struct sample_pci_region {
	u64 size;
	void *mem;
	u32 type;
	u32 subtype;
};

/**
 * struct sample_pci_id - How the function introduces itself
 * @vendor: vendor
 * @device: device
 * @subsystem_vendor: subsystem's vendor
 * @subsystem: subsystem
 * @class: class, subclass and programming interface
 * @has_irq: has INTx and one MSI vector
 */
struct sample_pci_id {
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem;
	u32 class;
	bool has_irq;
};

/**
 * struct sample_pci - A PCI function that is all in memory
 * @vdev: what users open
 * @ops: the device model
 * @regions: its regions, by index
 * @lock: the state of the device: registers, config space, whether it runs and
 *	what it has signalled; nests inside @irq_lock
 * @config: configuration space; @lock
 * @writable: the bits of it that users may write
 * @is_running: whether it may signal interrupts; false while it is stopped for
 *	migration; @lock
 */
struct sample_pci {
	struct vfio_device vdev;
	const struct sample_pci_ops *ops;
	struct sample_pci_region regions[SAMPLE_PCI_NUM_REGIONS];
	struct mutex lock; /* the device's state, see above */
	u8 config[SAMPLE_PCI_CONFIG_SIZE];
	u8 writable[SAMPLE_PCI_CONFIG_SIZE];
	bool is_running;

	/* private: sample_pci.c */
	struct mutex irq_lock;		/* serialises SET_IRQS; outer to @lock */
	struct virqfd *unmask;		/* irq_lock */
	/* All of @lock: */
	unsigned int irq_index;		/* INTX or MSI when @trigger is set */
	struct eventfd_ctx *trigger;
	struct eventfd_ctx *req_trigger;
	bool is_masked;			/* INTx only */
	bool was_asserting;
};

/**
 * to_sample_pci() - The function around a VFIO device
 * @vdev: device of a sample
 *
 * Return: the function.
 */
static inline struct sample_pci *to_sample_pci(struct vfio_device *vdev)
{
	return container_of(vdev, struct sample_pci, vdev);
}

void sample_pci_init(struct sample_pci *pci, const struct sample_pci_ops *ops,
		     const struct sample_pci_id *id);
void sample_pci_destroy(struct sample_pci *pci);
void sample_pci_add_bar(struct sample_pci *pci, unsigned int index, u32 size,
			u32 kind);
void sample_pci_add_own_region(struct sample_pci *pci, u64 size, u32 type,
			       u32 subtype);
void sample_pci_config_load(struct sample_pci *pci, const u8 *from);
void sample_pci_update_irq(struct sample_pci *pci);

/* For struct vfio_device_ops */
int sample_pci_open(struct vfio_device *vdev);
void sample_pci_close(struct vfio_device *vdev);
ssize_t sample_pci_read(struct vfio_device *vdev, char __user *buf,
			size_t count, loff_t *ppos);
ssize_t sample_pci_write(struct vfio_device *vdev, const char __user *buf,
			 size_t count, loff_t *ppos);
long sample_pci_ioctl(struct vfio_device *vdev, unsigned int cmd,
		      unsigned long arg);
int sample_pci_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
void sample_pci_request(struct vfio_device *vdev, unsigned int count);

#define SAMPLE_PCI_VFIO_OPS						\
	.open_device = sample_pci_open,					\
	.read = sample_pci_read,					\
	.write = sample_pci_write,					\
	.mmap = sample_pci_mmap,					\
	.request = sample_pci_request,					\
	.bind_iommufd = vfio_iommufd_emulated_bind,			\
	.unbind_iommufd = vfio_iommufd_emulated_unbind,			\
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,		\
	.detach_ioas = vfio_iommufd_emulated_detach_ioas

#endif /* VFIO_MDEV_SAMPLE_H */
