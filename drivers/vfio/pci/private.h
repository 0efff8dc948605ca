/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of vfio-pci-core know of each other.
 *
 * Locks, outer first: dev_set->lock, config_lock, irq_lock, memory_lock,
 * intx.lock. The mmap_lock is outside memory_lock, because faults take the read
 * side; so user memory is never touched under any of these but dev_set->lock.
 */
#ifndef VFIO_PCI_PRIVATE_H
#define VFIO_PCI_PRIVATE_H

#include <linux/align.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <linux/uuid.h>
#include <linux/vfio_pci_core.h>

/*
 * From and to the stack: a register mostly, which is moved by fewer instructions
 * than a copy of so many bytes takes. The stack's side needs no alignment.
 */
static inline bool vfio_pci_fetch(void *to, const void __user *from, size_t len)
{
	u32 val;

	if (len != sizeof(val) || !IS_ALIGNED((unsigned long)from, sizeof(val)))
		return !copy_from_user(to, from, len);
	if (get_user(val, (const u32 __user *)from))
		return false;
	put_unaligned(val, (u32 *)to);
	return true;
}

static inline bool vfio_pci_deliver(void __user *to, const void *from, size_t len)
{
	if (len != sizeof(u32) || !IS_ALIGNED((unsigned long)to, sizeof(u32)))
		return !copy_to_user(to, from, len);
	return !put_user(get_unaligned((const u32 *)from), (u32 __user *)to);
}

/* config.c: the config space that the user sees */
int vfio_pci_config_open(struct vfio_pci_core_device *vdev);
void vfio_pci_config_close(struct vfio_pci_core_device *vdev);
ssize_t vfio_pci_config_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			   size_t count, loff_t start, bool iswrite);

/* config_header.c: memory decode; memory_lock held */
bool vfio_pci_memory_enabled(struct vfio_pci_core_device *vdev);
u16 vfio_pci_memory_force(struct vfio_pci_core_device *vdev);
void vfio_pci_memory_restore(struct vfio_pci_core_device *vdev, u16 cmd);

/* mmap.c: mappings, and memory_lock's pair for those who end them */
void vfio_pci_memory_write_lock(struct vfio_pci_core_device *vdev);
void vfio_pci_memory_write_unlock(struct vfio_pci_core_device *vdev);
bool vfio_pci_memory_try_write_lock(struct vfio_pci_core_device *vdev);
int vfio_pci_bar_mmap(struct vfio_pci_core_device *vdev, unsigned int index,
		      struct vm_area_struct *vma);

/*
 * io.c: the gate that every touch of a BAR or ROM passes. What the touch
 * depends on, apart from no reset being under way:
 */
enum vfio_pci_gate {
	VFIO_PCI_GATE_LOCK = 0,			/* nothing else */
	VFIO_PCI_GATE_POWER = BIT(0),		/* the device is awake */
	VFIO_PCI_GATE_DECODE = BIT(1),		/* it decodes memory */
	VFIO_PCI_GATE_MEMORY = VFIO_PCI_GATE_POWER | VFIO_PCI_GATE_DECODE,
	/* and stays so, for who has no reference that keeps it resumed */
	VFIO_PCI_GATE_NO_SLEEP = BIT(2),
};

/* Why the gate stayed shut, for the trace */
enum vfio_pci_shut {
	VFIO_PCI_SHUT_LOW_POWER,
	VFIO_PCI_SHUT_ASLEEP,
	VFIO_PCI_SHUT_DECODE,
};

int vfio_pci_gate_begin(struct vfio_pci_core_device *vdev, unsigned int gate);
int vfio_pci_gate_try_begin(struct vfio_pci_core_device *vdev,
			    unsigned int gate);
void vfio_pci_gate_end(struct vfio_pci_core_device *vdev);
void vfio_pci_move_registers(void __iomem *io,
			     enum vfio_pci_io_width max_width, u64 off,
			     u8 *buf, size_t count, bool iswrite);
ssize_t vfio_pci_bar_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			char __user *buf, size_t count, loff_t *ppos,
			bool iswrite);
ssize_t vfio_pci_rom_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			char __user *buf, size_t count, loff_t *ppos,
			bool iswrite);

/**
 * vfio_pci_io_width() - Width of the next access to registers
 * @off: where it begins
 * @count: bytes still to do
 * @max: widest access that the registers take
 *
 * Return: the widest power of two that is aligned, fits and is taken; count
 * must not be 0.
 */
static inline unsigned int vfio_pci_io_width(u64 off, size_t count,
					     enum vfio_pci_io_width max)
{
	unsigned int width = max;

	while (width > 1 && ((off & (width - 1)) || count < width))
		width >>= 1;
	return width;
}

/* ioeventfd.c */
long vfio_pci_ioeventfd(struct vfio_pci_core_device *vdev, void __user *uarg);
void vfio_pci_ioeventfds_close(struct vfio_pci_core_device *vdev);

/* bar.c: claims and mappings of the BARs */
int vfio_pci_bars_open(struct vfio_pci_core_device *vdev);
void vfio_pci_bars_close(struct vfio_pci_core_device *vdev);
void vfio_pci_bars_probe_mmap(struct vfio_pci_core_device *vdev);
int vfio_pci_rom_probe(struct vfio_pci_core_device *vdev);

/* region.c */
/* The rule that refused a mapping, for the trace */
enum vfio_pci_mmap_rule {
	VFIO_PCI_MMAP_GRANTED,
	VFIO_PCI_MMAP_PRIVATE,
	VFIO_PCI_MMAP_ABSENT,
	VFIO_PCI_MMAP_KIND,
	VFIO_PCI_MMAP_RANGE,
	VFIO_PCI_MMAP_DRIVER,
};

int vfio_pci_region_info(struct vfio_pci_core_device *vdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps);
void vfio_pci_regions_close(struct vfio_pci_core_device *vdev);

/* info.c: the ioctls that only tell */
long vfio_pci_get_info(struct vfio_pci_core_device *vdev, void __user *uarg);
long vfio_pci_get_region_info(struct vfio_pci_core_device *vdev,
			      void __user *uarg);
long vfio_pci_get_irq_info(struct vfio_pci_core_device *vdev,
			   void __user *uarg);

/* irq.c: SET_IRQS, and triggers that may go away while they are signalled */
long vfio_pci_set_irqs(struct vfio_pci_core_device *vdev, void __user *uarg);
int vfio_pci_irqs_open(struct vfio_pci_core_device *vdev);
void vfio_pci_irqs_close(struct vfio_pci_core_device *vdev);

struct vfio_pci_trigger *vfio_pci_trigger_get(int fd);
void vfio_pci_trigger_put(struct vfio_pci_trigger *trigger);
void vfio_pci_trigger_replace(struct vfio_pci_core_device *vdev,
			      struct vfio_pci_trigger __rcu **slot,
			      struct vfio_pci_trigger *trigger);
bool vfio_pci_trigger_signal(struct vfio_pci_trigger __rcu **slot);

/* An action of SET_IRQS on an index; irq_lock held */
struct vfio_pci_irq_request {
	unsigned int index;
	unsigned int start;
	unsigned int count;
	u32 data_type;		/* VFIO_IRQ_SET_DATA_* */
	const void *data;	/* count bools or fds; NULL for DATA_NONE */
};

/* intx.c; these take irq_lock, so memory_lock must not be held */
bool vfio_pci_intx_mask(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_unmask(struct vfio_pci_core_device *vdev);
/* intx.c; irq_lock held */
int vfio_pci_intx_set_mask(struct vfio_pci_core_device *vdev,
			   const struct vfio_pci_irq_request *req);
int vfio_pci_intx_set_unmask(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_irq_request *req);
int vfio_pci_intx_set_trigger(struct vfio_pci_core_device *vdev,
			      const struct vfio_pci_irq_request *req);
void vfio_pci_intx_disable(struct vfio_pci_core_device *vdev);
/* intx.c; any locks */
void vfio_pci_intx_sync(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_allow_msi(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_suspend(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_resume(struct vfio_pci_core_device *vdev);
/* intx.c, at open */
int vfio_pci_intx_probe(struct vfio_pci_core_device *vdev);

/* msi.c; irq_lock held */
int vfio_pci_msi_set_trigger(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_irq_request *req);
void vfio_pci_msi_disable(struct vfio_pci_core_device *vdev);
/* msi.c, at open */
int vfio_pci_msix_probe(struct vfio_pci_core_device *vdev);

/* power.c */
static inline bool vfio_pci_is_asleep(pci_power_t state)
{
	return (__force int)state >= (__force int)PCI_D3hot;
}

void vfio_pci_power_register(struct vfio_pci_core_device *vdev);
void vfio_pci_power_unregister(struct vfio_pci_core_device *vdev);
int vfio_pci_power_open(struct vfio_pci_core_device *vdev);
void vfio_pci_power_close(struct vfio_pci_core_device *vdev);
void vfio_pci_power_quiesce(struct vfio_pci_core_device *vdev);
int vfio_pci_low_power_entry(struct vfio_pci_core_device *vdev, u32 flags,
			     void __user *arg, size_t argsz);
int vfio_pci_low_power_entry_with_wakeup(struct vfio_pci_core_device *vdev,
					 u32 flags, void __user *arg,
					 size_t argsz);
int vfio_pci_low_power_exit(struct vfio_pci_core_device *vdev, u32 flags,
			    void __user *arg, size_t argsz);
/* memory_lock held for writing */
int vfio_pci_set_power_state(struct vfio_pci_core_device *vdev,
			     pci_power_t state);

/* reset.c; takes memory_lock for writing */
int vfio_pci_function_reset(struct vfio_pci_core_device *vdev);
long vfio_pci_device_reset(struct vfio_pci_core_device *vdev,
			   void __user *uarg);
int vfio_pci_reset_open(struct vfio_pci_core_device *vdev);
void vfio_pci_reset_close(struct vfio_pci_core_device *vdev);
void vfio_pci_set_try_reset(struct vfio_pci_core_device *vdev);

/* reset.c: the devices that a reset of the slot or bus hits */
typedef int (*vfio_pci_hit_fn)(struct pci_dev *pdev, void *data);

bool vfio_pci_can_reset_bus(struct pci_dev *pdev);
void vfio_pci_visit_hit(struct pci_dev *pdev, vfio_pci_hit_fn fn,
			void *data);
/* dev_set->lock held */
bool vfio_pci_set_covers_reset(struct vfio_pci_core_device *vdev,
			       bool is_asked_for);
int vfio_pci_set_wake(struct vfio_device_set *dev_set);
void vfio_pci_set_release(struct vfio_device_set *dev_set);

/*
 * Members of a device set; dev_set->lock held. Only devices of vfio-pci-core
 * are in a set that one of them is in: its key is a PCI slot or bus, or itself.
 */
#define vfio_pci_for_each_in_set(cur, dev_set)					\
	list_for_each_entry(cur, &(dev_set)->device_list, vdev.dev_set_list)

/* sriov.c */
void vfio_pci_sriov_init(struct vfio_pci_core_device *vdev);
int vfio_pci_sriov_register(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_unregister(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_disable(struct vfio_pci_core_device *vdev);
int vfio_pci_vf_token_open(struct vfio_pci_core_device *vdev);
void vfio_pci_vf_token_close(struct vfio_pci_core_device *vdev);
int vfio_pci_set_vf_token(struct vfio_pci_core_device *vdev, u32 flags,
			  void __user *arg, size_t argsz);

/* vga.c: a display's place among those that answer at the same addresses */
int vfio_pci_vga_register(struct vfio_pci_core_device *vdev);
void vfio_pci_vga_unregister(struct vfio_pci_core_device *vdev);

/* vga_region.c: and its legacy registers as a region */
#ifdef CONFIG_VFIO_PCI_VGA
#define VFIO_PCI_VGA_SIZE	0xc0000

bool vfio_pci_has_vga(const struct vfio_pci_core_device *vdev);
ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			char __user *buf, size_t count, loff_t *ppos,
			bool iswrite);
#endif

/* igd.c: regions of Intel's integrated graphics, at open */
#ifdef CONFIG_VFIO_PCI_IGD
int vfio_pci_igd_open(struct vfio_pci_core_device *vdev);
#else
static inline int vfio_pci_igd_open(struct vfio_pci_core_device *vdev)
{
	return 0;
}
#endif

/* zdev.c: functions of s390 */
#ifdef CONFIG_VFIO_PCI_ZDEV_KVM
int vfio_pci_zdev_add_caps(struct vfio_pci_core_device *vdev,
			   struct vfio_info_cap *caps);
int vfio_pci_zdev_open(struct vfio_pci_core_device *vdev);
void vfio_pci_zdev_close(struct vfio_pci_core_device *vdev);
#else
static inline int vfio_pci_zdev_add_caps(struct vfio_pci_core_device *vdev,
					 struct vfio_info_cap *caps)
{
	return 0;
}

static inline int vfio_pci_zdev_open(struct vfio_pci_core_device *vdev)
{
	return 0;
}

static inline void vfio_pci_zdev_close(struct vfio_pci_core_device *vdev)
{
}
#endif

/* eeh.c: recovery from errors by POWER's platform, for the time of an open */
#ifdef CONFIG_EEH
int vfio_pci_eeh_open(struct vfio_pci_core_device *vdev);
void vfio_pci_eeh_close(struct vfio_pci_core_device *vdev);
#else
static inline int vfio_pci_eeh_open(struct vfio_pci_core_device *vdev)
{
	return 0;
}

static inline void vfio_pci_eeh_close(struct vfio_pci_core_device *vdev)
{
}
#endif

/* hot_reset.c: resets of the slot or bus on the user's demand */
long vfio_pci_get_hot_reset_info(struct vfio_pci_core_device *vdev,
				 void __user *uarg);
long vfio_pci_hot_reset(struct vfio_pci_core_device *vdev, void __user *uarg);

/* Statics that the tests see */
#if IS_ENABLED(CONFIG_KUNIT)
int vfio_pci_apply_irq_set(struct vfio_pci_core_device *vdev,
			   const struct vfio_irq_set *hdr, const void *data);
int vfio_pci_parse_options(const char *text, uuid_t *uuid, bool *has_token);
bool vfio_pci_is_denied(struct pci_dev *pdev, bool is_list_off);
#endif

#endif /* VFIO_PCI_PRIVATE_H */
