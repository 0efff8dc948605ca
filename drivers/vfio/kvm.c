// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference that an open device holds on its VM.
 *
 * KVM names a VM to a file, under KVM's own locks, and takes the name back
 * before its last reference on the VM goes. A device makes a reference of the
 * name before its first open: under the name's lock, so that KVM cannot take
 * it back in between, and only from a VM that still lives.
 *
 * Dropping the reference may end the VM. That takes locks of KVM's which
 * drivers take below the group's and the set's locks, so it is done with none
 * of ours held: what to drop is handed out, and dropped later.
 *
 * KVM is a module that may be absent. Its functions are looked up when needed;
 * the one that drops stays looked up, and KVM loaded, as long as a VM is held.
 */
#include <linux/module.h>
#include <linux/vfio.h>
#if IS_ENABLED(CONFIG_KVM)
#include <linux/kvm_host.h>
#endif

#include "kvm.h"

/**
 * vfio_kvm_hint_set() - Remember the VM a file was named to
 * @hint: the file's
 * @kvm: the VM, valid until this is called with NULL
 *
 * Context: Any context that does not hold @hint's lock.
 */
void vfio_kvm_hint_set(struct vfio_kvm_hint *hint, struct kvm *kvm)
{
	spin_lock(&hint->lock);
	hint->kvm = kvm;
	spin_unlock(&hint->lock);
}

#if IS_ENABLED(CONFIG_KVM)
/* The named VM with a reference, or NULL where there is none alive. */
static struct kvm *get_named_kvm(struct vfio_kvm_hint *hint,
				 bool (*get)(struct kvm *kvm))
{
	struct kvm *kvm;

	spin_lock(&hint->lock);
	kvm = hint->kvm;
	if (kvm && !get(kvm))
		kvm = NULL;
	spin_unlock(&hint->lock);
	return kvm;
}

/**
 * vfio_device_hold_kvm() - Give a device the VM that its file was named to
 * @device: device whose first open this is
 * @hint: the file's VM
 *
 * @device->kvm stays NULL when there is no VM: not every driver needs one.
 *
 * Context: dev_set->lock held. Pairs with vfio_device_take_kvm().
 */
void vfio_device_hold_kvm(struct vfio_device *device,
			  struct vfio_kvm_hint *hint)
{
	bool (*get)(struct kvm *kvm);
	void (*put)(struct kvm *kvm);

	lockdep_assert_held(&device->dev_set->lock);

	if (!READ_ONCE(hint->kvm))
		return;

	/* KVM may take the name back and be unloaded meanwhile. */
	put = symbol_get(kvm_put_kvm);
	if (!put)
		return;

	get = symbol_get(kvm_get_kvm_safe);
	if (get) {
		device->kvm = get_named_kvm(hint, get);
		symbol_put(kvm_get_kvm_safe);
	}

	if (device->kvm)
		device->put_kvm = put;
	else
		symbol_put(kvm_put_kvm);
}

/**
 * vfio_held_kvm_put() - Drop the reference a device held
 * @held: what vfio_device_take_kvm() gave
 *
 * Context: Process context, none of the group's and the set's locks held.
 */
void vfio_held_kvm_put(struct vfio_held_kvm held)
{
	if (!held.kvm)
		return;

	held.put(held.kvm);
	symbol_put(kvm_put_kvm);
}
#else
void vfio_device_hold_kvm(struct vfio_device *device,
			  struct vfio_kvm_hint *hint)
{
}

void vfio_held_kvm_put(struct vfio_held_kvm held)
{
}
#endif

/**
 * vfio_device_take_kvm() - Take its VM from a device that was closed
 * @device: device that nobody has open any more, or failed to open
 *
 * Context: dev_set->lock held. Pairs with vfio_device_hold_kvm().
 * Return: what is to be given to vfio_held_kvm_put().
 */
struct vfio_held_kvm vfio_device_take_kvm(struct vfio_device *device)
{
	struct vfio_held_kvm held = {
		.kvm = device->kvm,
		.put = device->put_kvm,
	};

	lockdep_assert_held(&device->dev_set->lock);

	device->kvm = NULL;
	device->put_kvm = NULL;
	return held;
}
