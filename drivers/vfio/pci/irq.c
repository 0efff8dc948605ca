// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_SET_IRQS: one table of what each action does to each interrupt
 * index; and the two indexes that are no interrupt of the device, errors and
 * requests to let it go.
 *
 * A trigger is an eventfd that may be signalled from where no lock can be
 * taken: an interrupt handler, or an error callback that runs under locks of
 * the PCI core. Signallers read one RCU pointer, which may be NULL; irq_lock
 * serialises those who change it.
 */
#include <linux/eventfd.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "private.h"
#include "trace.h"

struct vfio_pci_trigger {
	struct eventfd_ctx *eventfd;
	struct rcu_head rcu;
};

/* Return: a trigger of the caller, or ERR_PTR() of -ENOMEM, -EBADF, -EINVAL. */
struct vfio_pci_trigger *vfio_pci_trigger_get(int fd)
{
	struct vfio_pci_trigger *trigger;

	trigger = kzalloc(sizeof(*trigger), GFP_KERNEL_ACCOUNT);
	if (!trigger)
		return ERR_PTR(-ENOMEM);

	trigger->eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(trigger->eventfd)) {
		int ret = PTR_ERR(trigger->eventfd);

		kfree(trigger);
		return ERR_PTR(ret);
	}
	return trigger;
}

/* Let go of a trigger that was in no slot. */
void vfio_pci_trigger_put(struct vfio_pci_trigger *trigger)
{
	eventfd_ctx_put(trigger->eventfd);
	kfree(trigger);
}

static void put_trigger_rcu(struct rcu_head *rcu)
{
	vfio_pci_trigger_put(container_of(rcu, struct vfio_pci_trigger, rcu));
}

/* Put trigger, which may be NULL, into slot, and let go of what was there. */
void vfio_pci_trigger_replace(struct vfio_pci_core_device *vdev,
			      struct vfio_pci_trigger __rcu **slot,
			      struct vfio_pci_trigger *trigger)
{
	struct vfio_pci_trigger *old;

	lockdep_assert_held(&vdev->irq_lock);

	old = rcu_replace_pointer(*slot, trigger,
				  lockdep_is_held(&vdev->irq_lock));
	if (old)
		call_rcu(&old->rcu, put_trigger_rcu);
}

/* Return: whether there was somebody to signal. */
bool vfio_pci_trigger_signal(struct vfio_pci_trigger __rcu **slot)
{
	struct vfio_pci_trigger *trigger;

	guard(rcu)();
	trigger = rcu_dereference(*slot);
	if (trigger)
		eventfd_signal(trigger->eventfd);
	return trigger;
}

static int set_single(struct vfio_pci_core_device *vdev,
		      struct vfio_pci_trigger __rcu **slot,
		      const struct vfio_pci_irq_request *req)
{
	struct vfio_pci_trigger *trigger = NULL;
	s32 fd;

	if (req->data_type == VFIO_IRQ_SET_DATA_NONE) {
		if (!rcu_access_pointer(*slot))
			return -EINVAL;
		if (req->count)
			vfio_pci_trigger_signal(slot);
		else
			vfio_pci_trigger_replace(vdev, slot, NULL);
		return 0;
	}

	if (!req->count)
		return -EINVAL;
	if (req->data_type == VFIO_IRQ_SET_DATA_BOOL) {
		if (*(const u8 *)req->data)
			vfio_pci_trigger_signal(slot);
		return 0;
	}

	fd = *(const s32 *)req->data;
	if (fd < -1)
		return -EINVAL;
	if (fd >= 0) {
		trigger = vfio_pci_trigger_get(fd);
		if (IS_ERR(trigger))
			return PTR_ERR(trigger);
	}
	vfio_pci_trigger_replace(vdev, slot, trigger);
	return 0;
}

static int set_err_trigger(struct vfio_pci_core_device *vdev,
			   const struct vfio_pci_irq_request *req)
{
	if (!pci_is_pcie(vdev->pdev))
		return -ENOTTY;
	return set_single(vdev, &vdev->err_trigger, req);
}

static int set_req_trigger(struct vfio_pci_core_device *vdev,
			   const struct vfio_pci_irq_request *req)
{
	return set_single(vdev, &vdev->req_trigger, req);
}

enum irq_action {
	IRQ_MASK,
	IRQ_UNMASK,
	IRQ_TRIGGER,
	NUM_IRQ_ACTIONS,
};

typedef int (*irq_action_fn)(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_irq_request *req);

/* What is missing is not offered: -ENOTTY. */
static const irq_action_fn irq_actions[VFIO_PCI_NUM_IRQS][NUM_IRQ_ACTIONS] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = {
		[IRQ_MASK] = vfio_pci_intx_set_mask,
		[IRQ_UNMASK] = vfio_pci_intx_set_unmask,
		[IRQ_TRIGGER] = vfio_pci_intx_set_trigger,
	},
	[VFIO_PCI_MSI_IRQ_INDEX] = {
		[IRQ_TRIGGER] = vfio_pci_msi_set_trigger,
	},
	[VFIO_PCI_MSIX_IRQ_INDEX] = {
		[IRQ_TRIGGER] = vfio_pci_msi_set_trigger,
	},
	[VFIO_PCI_ERR_IRQ_INDEX] = {
		[IRQ_TRIGGER] = set_err_trigger,
	},
	[VFIO_PCI_REQ_IRQ_INDEX] = {
		[IRQ_TRIGGER] = set_req_trigger,
	},
};

static irq_action_fn find_action(unsigned int index, u32 flags)
{
	switch (flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_MASK:
		return irq_actions[index][IRQ_MASK];
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return irq_actions[index][IRQ_UNMASK];
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		return irq_actions[index][IRQ_TRIGGER];
	default:
		return NULL;
	}
}

/* Does a checked SET_IRQS; see vfio_pci_set_irqs() for what it returns. */
VISIBLE_IF_KUNIT int vfio_pci_apply_irq_set(struct vfio_pci_core_device *vdev,
					    const struct vfio_irq_set *hdr,
					    const void *data)
{
	const struct vfio_pci_irq_request req = {
		.index = hdr->index,
		.start = hdr->start,
		.count = hdr->count,
		.data_type = hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK,
		.data = data,
	};
	irq_action_fn action = find_action(req.index, hdr->flags);

	if (!action)
		return -ENOTTY;

	guard(mutex)(&vdev->irq_lock);
	return action(vdev, &req);
}

/* Return: 0, an errno, or the MSI vectors that there are where it wants more. */
long vfio_pci_set_irqs(struct vfio_pci_core_device *vdev, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set hdr;
	void *data = NULL;
	size_t size;
	int ret;

	ret = vfio_uarg_get(&hdr, sizeof(hdr), minsz, uarg);
	if (ret)
		return ret;
	if (hdr.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	hdr.index = array_index_nospec(hdr.index, VFIO_PCI_NUM_IRQS);

	ret = vfio_set_irqs_validate_and_prepare(&hdr,
						 vdev->irq_count[hdr.index],
						 VFIO_PCI_NUM_IRQS, &size);
	if (ret)
		return ret;

	if (size) {
		data = memdup_user(uarg + minsz, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}

	ret = vfio_pci_apply_irq_set(vdev, &hdr, data);
	trace_vfio_pci_set_irqs(vdev->pdev, hdr.index, hdr.start, hdr.count,
				hdr.flags, ret);
	kfree(data);
	return ret;
}

/*
 * From here on the device asserts INTx only while a handler of ours is there.
 * The virtual command register was filled before, so the user does not see it.
 */
int vfio_pci_irqs_open(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int msi = pci_msi_vec_count(pdev);

	vdev->irq_count[VFIO_PCI_INTX_IRQ_INDEX] = !vdev->nointx;
	vdev->irq_count[VFIO_PCI_MSI_IRQ_INDEX] = clamp(msi, 0, 32);
	vdev->irq_count[VFIO_PCI_MSIX_IRQ_INDEX] = vdev->msix_size /
						   PCI_MSIX_ENTRY_SIZE;
	vdev->irq_count[VFIO_PCI_ERR_IRQ_INDEX] = pci_is_pcie(pdev);
	vdev->irq_count[VFIO_PCI_REQ_IRQ_INDEX] = 1;

	vfio_pci_intx_sync(vdev);
	return 0;
}

void vfio_pci_irqs_close(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->irq_lock);

	if (vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX)
		vfio_pci_intx_disable(vdev);
	else if (vdev->irq_type != VFIO_PCI_NUM_IRQS)
		vfio_pci_msi_disable(vdev);

	vfio_pci_trigger_replace(vdev, &vdev->err_trigger, NULL);
	vfio_pci_trigger_replace(vdev, &vdev->req_trigger, NULL);
	memset(vdev->irq_count, 0, sizeof(vdev->irq_count));
}
