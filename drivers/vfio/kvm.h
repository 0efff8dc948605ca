/* SPDX-License-Identifier: GPL-2.0-only */
/* What a file knows of a VM, and how an open device holds it. */
#ifndef VFIO_KVM_H
#define VFIO_KVM_H

#include <linux/spinlock.h>

struct kvm;
struct vfio_device;

/**
 * struct vfio_kvm_hint - The VM that a file was named to
 * @lock: guards @kvm; a leaf, because KVM comes with locks of its own held
 * @kvm: the VM, or NULL. No reference: KVM names a VM while it holds it and
 *	takes the name back, by NULL, before it lets go.
 */
struct vfio_kvm_hint {
	spinlock_t lock;	/* the name; a leaf */
	struct kvm *kvm;
};

/**
 * struct vfio_held_kvm - A VM that a device held and that is still to be put
 * @kvm: the VM, or NULL when there is nothing to put
 * @put: KVM's function that does it
 */
struct vfio_held_kvm {
	struct kvm *kvm;
	void (*put)(struct kvm *kvm);
};

static inline void vfio_kvm_hint_init(struct vfio_kvm_hint *hint)
{
	spin_lock_init(&hint->lock);
	hint->kvm = NULL;
}

void vfio_kvm_hint_set(struct vfio_kvm_hint *hint, struct kvm *kvm);

void vfio_device_hold_kvm(struct vfio_device *device,
			  struct vfio_kvm_hint *hint);
struct vfio_held_kvm vfio_device_take_kvm(struct vfio_device *device);
void vfio_held_kvm_put(struct vfio_held_kvm held);

#endif /* VFIO_KVM_H */
