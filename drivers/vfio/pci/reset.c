// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets: of the function at open, on the user's demand and at close; and of
 * the whole device set when the last of its members is closed.
 *
 * A device_lock is only ever tried below dev_set->lock and memory_lock, since
 * whoever removes a device holds it while waiting for us.
 */
#include <linux/pm_runtime.h>

#include "private.h"
#include "trace.h"

/*
 * Reset of a function may have to be done by its bridge, whose config space is
 * then nobody else's. Virtual functions never need that, and share bridges in
 * numbers.
 */
static struct pci_dev *bridge_to_lock(struct pci_dev *pdev)
{
	return pdev->is_virtfn ? NULL : pci_upstream_bridge(pdev);
}

/* Return: 0, -EAGAIN where a lock is busy, or what the reset gave. */
static int try_function_reset(struct pci_dev *pdev)
{
	struct pci_dev *bridge = bridge_to_lock(pdev);
	int ret;

	if (bridge && !pci_dev_trylock(bridge))
		return -EAGAIN;
	ret = pci_try_reset_function(pdev);
	if (bridge)
		pci_dev_unlock(bridge);
	return ret;
}

/**
 * vfio_pci_function_reset() - Reset a function that is open
 * @vdev: the device
 *
 * Context: Process context. Takes memory_lock for writing, zaps mappings.
 * Return: 0, -EAGAIN where somebody else holds the device, or what the reset
 * method gave.
 */
int vfio_pci_function_reset(struct vfio_pci_core_device *vdev)
{
	int ret;

	vfio_pci_memory_write_lock(vdev);
	/* Most ways to reset work in D0 alone. */
	vfio_pci_set_power_state(vdev, PCI_D0);
	ret = try_function_reset(vdev->pdev);
	/* INTx may have been masked or unmasked since the state was saved. */
	vfio_pci_intx_sync(vdev);
	vfio_pci_memory_write_unlock(vdev);

	trace_vfio_pci_function_reset(vdev->pdev, ret);
	return ret;
}

/* VFIO_DEVICE_RESET */
long vfio_pci_device_reset(struct vfio_pci_core_device *vdev,
			   void __user *unused)
{
	if (!vdev->reset_works) {
		trace_vfio_pci_function_reset(vdev->pdev, -EINVAL);
		return -EINVAL;
	}
	return vfio_pci_function_reset(vdev);
}

/* Nothing of the last user is left; and whether users can reset is known. */
int vfio_pci_reset_open(struct vfio_pci_core_device *vdev)
{
	int ret = try_function_reset(vdev->pdev);

	trace_vfio_pci_function_reset(vdev->pdev, ret);
	if (ret == -EAGAIN)
		return ret;

	vdev->reset_works = !ret;
	return 0;
}

static int reset_locked(struct pci_dev *pdev)
{
	struct pci_dev *bridge = bridge_to_lock(pdev);
	int ret = -EAGAIN;

	if (bridge && !pci_dev_trylock(bridge))
		return ret;
	if (pci_dev_trylock(pdev)) {
		ret = __pci_reset_function_locked(pdev);
		pci_dev_unlock(pdev);
	}
	if (bridge)
		pci_dev_unlock(bridge);
	return ret;
}

/*
 * Leave nothing to the next user. The config space is what it was at open,
 * but for decode and interrupts, which are off; it comes back after the reset.
 */
void vfio_pci_reset_close(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	if (vdev->reset_works) {
		int ret = reset_locked(pdev);

		trace_vfio_pci_close_reset(pdev, ret);
		vdev->needs_reset = ret;
	}

	pci_load_and_free_saved_state(pdev, &vdev->pci_saved_state);
	pci_restore_state(pdev);
	vfio_pci_intx_sync(vdev);
}

/* Whether any reset is there that takes the devices around along. */
bool vfio_pci_can_reset_bus(struct pci_dev *pdev)
{
	return !pci_probe_reset_slot(pdev->slot) ||
	       !pci_probe_reset_bus(pdev->bus);
}

struct hit_walk {
	struct pci_bus *bus;
	struct pci_slot *slot;		/* NULL: the whole bus is reset */
	vfio_pci_hit_fn fn;
	void *data;
};

static int visit_if_hit(struct pci_dev *pdev, void *data)
{
	const struct hit_walk *walk = data;
	struct pci_dev *top = pdev;

	/* What is behind a bridge in the slot is hit with the bridge. */
	while (top->bus != walk->bus && top->bus->self)
		top = top->bus->self;
	if (walk->slot && top->slot != walk->slot)
		return 0;
	return walk->fn(pdev, walk->data);
}

/**
 * vfio_pci_visit_hit() - Visit the functions that a reset takes along
 * @pdev: one of them
 * @fn: called for each; non-zero ends the walk
 * @data: its second argument
 *
 * Context: Process context. Takes pci_bus_sem around @fn.
 */
void vfio_pci_visit_hit(struct pci_dev *pdev, vfio_pci_hit_fn fn,
			void *data)
{
	struct hit_walk walk = {
		.bus = pdev->bus,
		.slot = pci_probe_reset_slot(pdev->slot) ? NULL : pdev->slot,
		.fn = fn,
		.data = data,
	};

	pci_walk_bus(pdev->bus, visit_if_hit, &walk);
}

struct stranger_search {
	struct vfio_pci_core_device *vdev;
	bool is_asked_for;
	bool is_found;
};

static int find_stranger(struct pci_dev *pdev, void *data)
{
	struct stranger_search *search = data;

	if (vfio_find_device_in_devset(search->vdev->vdev.dev_set, &pdev->dev))
		return 0;

	trace_vfio_pci_refuse_reset(search->vdev->pdev, pdev, false);
	if (search->is_asked_for)
		pci_info_ratelimited(search->vdev->pdev,
				     "no reset of its slot or bus: %s is there and not with VFIO\n",
				     pci_name(pdev));
	search->is_found = true;
	return 1;
}

/*
 * What a reset of the slot or bus hits must all be in the device set; what else
 * is there is not ours to reset. A user who asked for it is told the name.
 */
bool vfio_pci_set_covers_reset(struct vfio_pci_core_device *vdev,
			       bool is_asked_for)
{
	struct stranger_search search = {
		.vdev = vdev,
		.is_asked_for = is_asked_for,
	};

	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	vfio_pci_visit_hit(vdev->pdev, find_stranger, &search);
	return !search.is_found;
}

static bool is_set_idle_and_dirty(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;
	bool is_dirty = false;

	lockdep_assert_held(&dev_set->lock);

	vfio_pci_for_each_in_set(cur, dev_set) {
		if (cur->is_enabled)
			return false;
		is_dirty |= cur->needs_reset;
	}
	return is_dirty;
}

/* Wakes all; where one fails, those before it may sleep again. */
int vfio_pci_set_wake(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;
	int ret;

	lockdep_assert_held(&dev_set->lock);

	vfio_pci_for_each_in_set(cur, dev_set) {
		ret = pm_runtime_resume_and_get(&cur->pdev->dev);
		if (ret) {
			list_for_each_entry_continue_reverse(cur,
							     &dev_set->device_list,
							     vdev.dev_set_list)
				pm_runtime_put(&cur->pdev->dev);
			return ret;
		}
	}
	return 0;
}

void vfio_pci_set_release(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;

	lockdep_assert_held(&dev_set->lock);

	vfio_pci_for_each_in_set(cur, dev_set)
		pm_runtime_put(&cur->pdev->dev);
}

/**
 * vfio_pci_set_try_reset() - Reset the device set, if that is due and possible
 * @vdev: a member, just closed
 *
 * For members that could not be reset by themselves: once nobody has any member
 * open, the bus or slot is reset, provided that it holds nothing else.
 *
 * Context: dev_set->lock held. Tries device_locks.
 */
void vfio_pci_set_try_reset(struct vfio_pci_core_device *vdev)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	struct vfio_pci_core_device *cur;
	int ret;

	lockdep_assert_held(&dev_set->lock);

	if (!is_set_idle_and_dirty(dev_set) || !vfio_pci_can_reset_bus(vdev->pdev) ||
	    !vfio_pci_set_covers_reset(vdev, false))
		return;

	if (vfio_pci_set_wake(dev_set))
		return;
	ret = pci_reset_bus(vdev->pdev);
	trace_vfio_pci_set_reset(vdev->pdev, ret);
	if (!ret)
		vfio_pci_for_each_in_set(cur, dev_set)
			cur->needs_reset = false;
	vfio_pci_set_release(dev_set);
}
