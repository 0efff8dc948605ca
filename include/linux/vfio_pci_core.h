/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver of PCI devices needs to offer them through VFIO: the device
 * object it embeds and the operations it calls or wraps.
 *
 * The ideas behind this API are in Documentation/driver-api/vfio.rst.
 */
#ifndef VFIO_PCI_CORE_H
#define VFIO_PCI_CORE_H

#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

/*
 * A file offset of the device names a region and a place in it. Users take
 * offsets from VFIO_DEVICE_GET_REGION_INFO; this split is no ABI.
 */
#define VFIO_PCI_OFFSET_SHIFT		40
#define VFIO_PCI_OFFSET_MASK		((1ULL << VFIO_PCI_OFFSET_SHIFT) - 1)
#define VFIO_PCI_OFFSET_TO_INDEX(off)	((u64)(off) >> VFIO_PCI_OFFSET_SHIFT)
#define VFIO_PCI_INDEX_TO_OFFSET(index)	((u64)(index) << VFIO_PCI_OFFSET_SHIFT)

struct eventfd_ctx;
struct pci_saved_state;
struct vfio_pci_config_map;
struct vfio_pci_config_map;
struct vfio_pci_core_device;
struct vfio_pci_region;
struct vfio_pci_trigger;
struct vfio_pci_vf_token;

/**
 * enum vfio_pci_io_width - Widest access that registers take at once
 * @VFIO_PCI_IO_WIDTH_1: one byte
 * @VFIO_PCI_IO_WIDTH_2: two bytes
 * @VFIO_PCI_IO_WIDTH_4: four bytes; the widest of I/O ports and ROMs
 * @VFIO_PCI_IO_WIDTH_8: eight bytes
 */
enum vfio_pci_io_width {
	VFIO_PCI_IO_WIDTH_1 = 1,
	VFIO_PCI_IO_WIDTH_2 = 2,
	VFIO_PCI_IO_WIDTH_4 = 4,
	VFIO_PCI_IO_WIDTH_8 = 8,
};

/**
 * struct vfio_pci_regops - What a driver does for a region of its own
 *
 * @rw: read or write at a file offset, whose upper bits still tell the index;
 *	moves the offset and returns the bytes done or an errno. Mandatory.
 * @release: the device is closed: free what the region holds. Optional.
 * @mmap: map the region; optional, refused with -EINVAL where it is missing
 * @add_capability: add capabilities to VFIO_DEVICE_GET_REGION_INFO. Optional.
 */
struct vfio_pci_regops {
	ssize_t (*rw)(struct vfio_pci_core_device *vdev, char __user *buf,
		      size_t count, loff_t *ppos, bool iswrite);
	void (*release)(struct vfio_pci_core_device *vdev,
			struct vfio_pci_region *region);
	int (*mmap)(struct vfio_pci_core_device *vdev,
		    struct vfio_pci_region *region,
		    struct vm_area_struct *vma);
	int (*add_capability)(struct vfio_pci_core_device *vdev,
			      struct vfio_pci_region *region,
			      struct vfio_info_cap *caps);
};

/**
 * struct vfio_pci_region - A region behind the fixed ones
 *
 * @type: VFIO_REGION_TYPE_*
 * @subtype: meaning within @type
 * @ops: the driver's operations
 * @data: the driver's own
 * @size: bytes
 * @flags: VFIO_REGION_INFO_FLAG_* that users are told
 */
struct vfio_pci_region {
	u32 type;
	u32 subtype;
	const struct vfio_pci_regops *ops;
	void *data;
	size_t size;
	u32 flags;
};

/*
 * INTx of one device. It lives as long as the device object, so that an
 * interrupt or an unmask that comes late always finds it.
 */
struct vfio_pci_intx {
	spinlock_t lock;	/* the three below and the line's hardware mask */
	bool live;		/* the handler is installed and may signal */
	bool masked;
	bool asleep;		/* masked until the device is resumed, too */
	struct vfio_pci_trigger __rcu *trigger;	/* written under irq_lock */
	struct virqfd *mask;	/* irq_lock */
	struct virqfd *unmask;	/* irq_lock */
	int irq;		/* host interrupt; constant while @live */
	char *name;		/* irq_lock */
};

/**
 * struct vfio_pci_core_device - A PCI device that user space can drive
 *
 * Drivers embed it as the first member of their own struct and leave its
 * address in the PCI device's driver data.
 *
 * @vdev: the VFIO device, always first
 * @pdev: the PCI device
 * @barmap: kernel mappings of the BARs, from open to close; NULL for a BAR
 *	that is not there or could not be claimed, see
 *	vfio_pci_core_setup_barmap()
 * @irq_type: interrupt index in use: VFIO_PCI_INTX_IRQ_INDEX,
 *	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_MSIX_IRQ_INDEX, else
 *	VFIO_PCI_NUM_IRQS
 */
struct vfio_pci_core_device {
	struct vfio_device vdev;
	struct pci_dev *pdev;
	void __iomem *barmap[PCI_STD_NUM_BARS];
	int irq_type;

	/* private: vfio-pci-core's alone */

	/*
	 * Decode and power: written by whoever turns off memory decode, moves
	 * the power state or resets, after zapping all mappings; read by
	 * whoever touches registers. Inside irq_lock and mmap_lock.
	 */
	struct rw_semaphore memory_lock;

	/* Vectors and triggers; outside memory_lock, inside dev_set->lock */
	struct mutex irq_lock;
	struct vfio_pci_intx intx;
	struct xarray ctx;		/* irq_lock: MSI(-X) vectors in use */
	struct vfio_pci_trigger __rcu *err_trigger;	/* irq_lock */
	struct vfio_pci_trigger __rcu *req_trigger;	/* irq_lock */

	/* Latched at init, so that a parameter's change never splits a pair */
	bool nointxmask;
	bool disable_vga;
	bool disable_idle_d3;

	/* Found at registration */
	bool answers_vga;		/* takes part in VGA arbitration */
	bool needs_pm_restore;		/* D3hot to D0 loses the config space */
	bool rom_probed;
	size_t rom_size;		/* size of the ROM region, 0: unreadable */

	/* Found at open and constant until close */
	bool is_enabled;		/* dev_set->lock */
	bool reset_works;
	bool pci_2_3;			/* INTx can be masked at the device */
	bool nointx;			/* INTx is absent or kept from the user */
	bool has_dyn_msix;
	bool has_eeh;			/* counted as the user's by EEH */
	u32 irq_count[VFIO_PCI_NUM_IRQS];
	u8 msix_bar;			/* BAR of the table, valid if msix_size */
	u16 msi_qmax;			/* irq_lock: log2 of MSI vectors enabled */
	u32 msix_size;			/* bytes of the table */
	u32 msix_offset;		/* place in msix_bar */
	struct {
		int err;		/* why barmap is NULL */
		bool can_mmap;
		struct resource *tail;	/* rest of the page of a small BAR */
	} bar[PCI_STD_NUM_BARS];
	struct vfio_pci_region *region;
	unsigned int num_regions;	/* beyond VFIO_PCI_NUM_REGIONS */
	struct pci_saved_state *pci_saved_state;

	bool needs_reset;		/* dev_set->lock; since the last close */

	/* Power: memory_lock for writing */
	struct pci_saved_state *pm_save;
	bool pm_runtime_engaged;	/* the user let the device sleep */
	struct eventfd_ctx *pm_wake_eventfd_ctx; /* and is told when it wakes */

	/*
	 * Config space, see config*.c. The lock makes each access of the user
	 * whole; it is outside irq_lock. What vconfig tells of memory decode
	 * changes under memory_lock, too.
	 */
	struct mutex config_lock;
	struct vfio_pci_config_map *pci_config_map;
	u8 *vconfig;			/* what the user reads in place of hardware */
	u32 rbar[7];			/* the host's BARs and ROM BAR */
	bool virq_disabled;		/* the user's DisINTx; config_lock */

	struct mutex rom_lock;		/* who enables the ROM; outside memory_lock */

	/* SR-IOV, see sriov.c */
	struct vfio_pci_vf_token *vf_token;	/* of a physical function */
	struct vfio_pci_core_device *sriov_pf_core_dev;	/* of a virtual one */
	struct notifier_block nb;
	bool sriov_active;		/* memory_lock; read under device_lock too */
	struct list_head sriov_pfs_item;	/* this and below: sriov.c's lock */
	char **vf_names;
	unsigned int nr_vf_names;

	struct mutex ioeventfds_lock;	/* the two below; a leaf */
	struct list_head ioeventfds_list;
	unsigned int ioeventfds_nr;
};

/* Birth and death, for &vfio_device_ops and probe and remove */
int vfio_pci_core_init_dev(struct vfio_device *core_vdev);
void vfio_pci_core_release_dev(struct vfio_device *core_vdev);
int vfio_pci_core_register_device(struct vfio_pci_core_device *vdev);
void vfio_pci_core_unregister_device(struct vfio_pci_core_device *vdev);
void vfio_pci_core_set_params(bool nointxmask, bool is_disable_vga,
			      bool is_disable_idle_d3);

/* Open and close */
int vfio_pci_core_enable(struct vfio_pci_core_device *vdev);
void vfio_pci_core_disable(struct vfio_pci_core_device *vdev);
void vfio_pci_core_finish_enable(struct vfio_pci_core_device *vdev);
void vfio_pci_core_close_device(struct vfio_device *core_vdev);
int vfio_pci_core_register_dev_region(struct vfio_pci_core_device *vdev,
				      unsigned int type, unsigned int subtype,
				      const struct vfio_pci_regops *ops,
				      size_t size, u32 flags, void *data);
int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar);

/* Bodies of &vfio_device_ops */
long vfio_pci_core_ioctl(struct vfio_device *core_vdev, unsigned int cmd,
			 unsigned long arg);
int vfio_pci_core_ioctl_feature(struct vfio_device *core_vdev, u32 flags,
				void __user *arg, size_t argsz);
ssize_t vfio_pci_core_read(struct vfio_device *core_vdev, char __user *buf,
			   size_t count, loff_t *ppos);
ssize_t vfio_pci_core_write(struct vfio_device *core_vdev,
			    const char __user *buf, size_t count, loff_t *ppos);
int vfio_pci_core_mmap(struct vfio_device *core_vdev,
		       struct vm_area_struct *vma);
void vfio_pci_core_request(struct vfio_device *core_vdev, unsigned int count);
int vfio_pci_core_match(struct vfio_device *core_vdev, char *buf);

/* Bodies of &struct pci_driver */
extern const struct pci_error_handlers vfio_pci_core_err_handlers;
pci_ers_result_t vfio_pci_core_aer_err_detected(struct pci_dev *pdev,
						pci_channel_state_t state);
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,
				  int nr_virtfn);

/* Access to registers, for drivers that stand between them and the user */
ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem,
			       void __iomem *io, char __user *buf,
			       loff_t off, size_t count, size_t x_start,
			       size_t x_end, bool iswrite,
			       enum vfio_pci_io_width max_width);
bool vfio_pci_core_range_intersect_range(loff_t buf_start, size_t buf_cnt,
					 loff_t reg_start, size_t reg_cnt,
					 loff_t *buf_offset,
					 size_t *intersect_count,
					 size_t *register_offset);

int vfio_pci_core_ioread8(struct vfio_pci_core_device *vdev, bool test_mem,
			  u8 *val, void __iomem *io);
int vfio_pci_core_ioread16(struct vfio_pci_core_device *vdev, bool test_mem,
			   u16 *val, void __iomem *io);
int vfio_pci_core_ioread32(struct vfio_pci_core_device *vdev, bool test_mem,
			   u32 *val, void __iomem *io);
int vfio_pci_core_ioread64(struct vfio_pci_core_device *vdev, bool test_mem,
			   u64 *val, void __iomem *io);
int vfio_pci_core_iowrite8(struct vfio_pci_core_device *vdev, bool test_mem,
			   u8 val, void __iomem *io);
int vfio_pci_core_iowrite16(struct vfio_pci_core_device *vdev, bool test_mem,
			    u16 val, void __iomem *io);
int vfio_pci_core_iowrite32(struct vfio_pci_core_device *vdev, bool test_mem,
			    u32 val, void __iomem *io);
int vfio_pci_core_iowrite64(struct vfio_pci_core_device *vdev, bool test_mem,
			    u64 val, void __iomem *io);

#endif /* VFIO_PCI_CORE_H */
