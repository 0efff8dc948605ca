/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of edu's driver know of each other. */
#ifndef EDU_VFIO_PCI_H
#define EDU_VFIO_PCI_H

#include <linux/mutex.h>
#include <linux/vfio_pci_core.h>
#include <linux/workqueue.h>

struct sample_stream;

/* The device, as QEMU's docs/specs/edu.rst has it. */
#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8
#define EDU_BAR			0
#define EDU_FACTORIAL		0x08	/* write n, read n! modulo 2^32 */
#define EDU_STATUS		0x20
#define EDU_STATUS_BUSY		BIT(0)
#define EDU_TRIES		1000

#define EDU_TABLE_ENTRIES	16

/**
 * struct edu_migration - The part of edu_migration.c
 * @lock: guards all below but @was_reset; outside of the core's locks
 * @state: where the device is in a migration
 * @stream: data session of @state, or NULL
 * @is_open: registers can be reached
 * @was_master: the device may master the bus as soon as it is RUNNING
 * @irq_status: interrupts to be raised as soon as it is RUNNING
 * @was_reset: bit 0: a reset has not been taken note of yet
 * @after_reset: takes note of it
 */
struct edu_migration {
	struct mutex lock; /* see above */
	enum vfio_device_mig_state state;
	struct sample_stream *stream;
	bool is_open;
	bool was_master;
	u32 irq_status;
	unsigned long was_reset;
	struct work_struct after_reset;
};

/* 1. The driver's own struct, with the core's device as its first member. */
struct edu_vfio_device {
	struct vfio_pci_core_device core;
	struct mutex lock;	/* the two below, and one computation at a time */
	u32 first;
	__le32 factorials[EDU_TABLE_ENTRIES];
	struct edu_migration mig;
};

static inline struct edu_vfio_device *to_edu(struct vfio_pci_core_device *core)
{
	return container_of(core, struct edu_vfio_device, core);
}

void edu_migration_init(struct edu_vfio_device *edu);
void edu_migration_destroy(struct edu_vfio_device *edu);
int edu_migration_open(struct edu_vfio_device *edu);

/* For the driver's operations, around those of the core. */
void edu_migration_close_device(struct vfio_device *vdev);
long edu_migration_ioctl(struct vfio_device *vdev, unsigned int cmd,
			 unsigned long arg);
extern const struct pci_error_handlers edu_migration_err_handlers;

#endif /* EDU_VFIO_PCI_H */
