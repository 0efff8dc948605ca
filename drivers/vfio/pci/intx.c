// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx: a level interrupt that is masked each time it fires, until the user has
 * served the device and unmasks it.
 *
 * There are two ways to mask. A device of PCI 2.3 is masked at the device, by
 * the DisINTx bit, and can say whether it is the one that asserts the line; so
 * the line may be shared. Any other device is masked at the interrupt chip and
 * must have the line for itself. In both cases DisINTx is set in hardware while
 * no handler is installed.
 *
 * A device that is runtime suspended is not to be touched, but the eventfds that
 * mask and unmask may be signalled. So "masked" is what the user is to find, and
 * the hardware is masked while "masked" or "asleep" is true.
 *
 * intx.lock guards these together with the hardware's mask. It is taken by the
 * handler, by SET_IRQS, by writes of the user's command register, by suspend and
 * resume and by signals of the mask and unmask eventfds, that is, inside the
 * lock of an eventfd's wait queue. Therefore nothing is signalled under it.
 */
#include <linux/irq.h>
#include <linux/slab.h>

#include "private.h"

/* Devices whose interrupt status bit in config space never shows anything. */
static const struct pci_device_id hides_intx_status[] = {
	{ PCI_VDEVICE(INTEL, 0x1572) },	/* i40e */
	{ PCI_VDEVICE(INTEL, 0x1574) },
	{ PCI_VDEVICE(INTEL, 0x1580) },
	{ PCI_VDEVICE(INTEL, 0x1581) },
	{ PCI_VDEVICE(INTEL, 0x1583) },
	{ PCI_VDEVICE(INTEL, 0x1584) },
	{ PCI_VDEVICE(INTEL, 0x1585) },
	{ PCI_VDEVICE(INTEL, 0x1586) },
	{ PCI_VDEVICE(INTEL, 0x1587) },
	{ PCI_VDEVICE(INTEL, 0x1588) },
	{ PCI_VDEVICE(INTEL, 0x1589) },
	{ PCI_VDEVICE(INTEL, 0x158a) },
	{ PCI_VDEVICE(INTEL, 0x158b) },
	{ PCI_VDEVICE(INTEL, 0x37d0) },
	{ PCI_VDEVICE(INTEL, 0x37d1) },
	{ PCI_VDEVICE(INTEL, 0x37d2) },
	{ PCI_VDEVICE(INTEL, 0x1563) },	/* X550 */
	{}
};

/* Decide once, for interrupt info and the config space alike. */
int vfio_pci_intx_probe(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	bool can_mask = !vdev->nointxmask;
	u8 pin = 0;

	pci_read_config_byte(pdev, PCI_INTERRUPT_PIN, &pin);
	vdev->pci_2_3 = can_mask && pci_intx_mask_supported(pdev);
	vdev->nointx = !IS_ENABLED(CONFIG_VFIO_PCI_INTX) || !pin ||
		       pdev->is_virtfn || !pdev->irq ||
		       pdev->irq == IRQ_NOTCONNECTED ||
		       (can_mask && pci_match_id(hides_intx_status, pdev));
	return 0;
}

/*
 * The bit alone, by the byte that holds it: pci_intx() would write back the
 * other byte too, and with it decode bits that are changing under memory_lock.
 */
static void write_disintx(struct vfio_pci_core_device *vdev, bool is_disabled)
{
	const u8 bit = PCI_COMMAND_INTX_DISABLE >> 8;
	u8 old, new;

	lockdep_assert_held(&vdev->intx.lock);

	pci_read_config_byte(vdev->pdev, PCI_COMMAND + 1, &old);
	new = is_disabled ? old | bit : old & ~bit;
	if (new != old)
		pci_write_config_byte(vdev->pdev, PCI_COMMAND + 1, new);
}

/**
 * vfio_pci_intx_sync() - Make DisINTx in hardware what it should be
 * @vdev: the device, open or being opened
 *
 * For whoever may have changed it: resets, and the kernel's way of turning MSI
 * off. Without a handler the device is kept quiet.
 *
 * Context: Any. Takes intx.lock.
 */
void vfio_pci_intx_sync(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;
	unsigned long flags;
	bool is_masked;

	spin_lock_irqsave(&intx->lock, flags);
	is_masked = intx->masked || intx->asleep;
	write_disintx(vdev, !intx->live || (vdev->pci_2_3 && is_masked));
	spin_unlock_irqrestore(&intx->lock, flags);
}

/*
 * Devices on which DisINTx stops MSI as well: gone while MSI is in use, back by
 * vfio_pci_intx_sync() afterwards.
 */
void vfio_pci_intx_allow_msi(struct vfio_pci_core_device *vdev)
{
	unsigned long flags;

	if (!(vdev->pdev->dev_flags & PCI_DEV_FLAGS_MSI_INTX_DISABLE_BUG))
		return;

	spin_lock_irqsave(&vdev->intx.lock, flags);
	write_disintx(vdev, false);
	spin_unlock_irqrestore(&vdev->intx.lock, flags);
}

/* In hardware alone. */
static void mask_line(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->intx.lock);

	if (vdev->pci_2_3)
		write_disintx(vdev, true);
	else
		disable_irq_nosync(vdev->intx.irq);
}

/* Return: whether the device asserts the line, which is then left masked. */
static bool try_unmask_line(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->intx.lock);

	if (vdev->pci_2_3)
		return !pci_check_and_unmask_intx(vdev->pdev);

	enable_irq(vdev->intx.irq);
	return false;
}

static irqreturn_t intx_handler(int irq, void *data)
{
	struct vfio_pci_core_device *vdev = data;
	struct vfio_pci_intx *intx = &vdev->intx;
	bool has_fired;

	scoped_guard(spinlock_irqsave, &intx->lock) {
		/* On a shared line: a neighbour's. */
		if (intx->asleep)
			return IRQ_NONE;

		/*
		 * Asked even while masked: a reset of the device may have
		 * brought back an older DisINTx.
		 */
		if (vdev->pci_2_3 && !pci_check_and_mask_intx(vdev->pdev))
			return IRQ_NONE;

		has_fired = intx->live && !intx->masked;
		if (has_fired) {
			mask_line(vdev);
			intx->masked = true;
		}
	}

	if (has_fired)
		vfio_pci_trigger_signal(&intx->trigger);
	return IRQ_HANDLED;
}

/*
 * Return: whether the device still asserts the line, which then stays masked
 * and is to be signalled again by the caller.
 */
static bool unmask_line(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;
	bool is_asserted = false;

	scoped_guard(spinlock_irqsave, &intx->lock) {
		/* The user's own DisINTx outlasts this; clearing it unmasks. */
		if (intx->live && intx->masked &&
		    !READ_ONCE(vdev->virq_disabled)) {
			/* While asleep, the hardware follows at resume. */
			is_asserted = !intx->asleep && try_unmask_line(vdev);
			intx->masked = is_asserted;
		}
	}
	return is_asserted;
}

/* Return: whether INTx is in use and was not masked before. */
static bool mask_any(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;
	bool is_new = false;

	scoped_guard(spinlock_irqsave, &intx->lock) {
		is_new = intx->live && !intx->masked;
		if (is_new && !intx->asleep)
			mask_line(vdev);
		intx->masked |= is_new;
	}
	return is_new;
}

/**
 * vfio_pci_intx_suspend() - Keep away from a device that goes to sleep
 * @vdev: the device, open or not
 *
 * Pairs with vfio_pci_intx_resume().
 *
 * Context: Any. Takes intx.lock.
 */
void vfio_pci_intx_suspend(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;

	scoped_guard(spinlock_irqsave, &intx->lock) {
		if (intx->live && !intx->masked)
			mask_line(vdev);
		intx->asleep = true;
	}
}

/**
 * vfio_pci_intx_resume() - Go on with a device that is awake again
 * @vdev: the device, open or not
 *
 * Context: Any where eventfds may be signalled. Takes intx.lock.
 */
void vfio_pci_intx_resume(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;
	bool is_asserted = false;

	scoped_guard(spinlock_irqsave, &intx->lock) {
		/* There was nothing to suspend. */
		if (!intx->asleep)
			return;
		intx->asleep = false;
		if (intx->live && !intx->masked) {
			is_asserted = try_unmask_line(vdev);
			intx->masked = is_asserted;
		}
	}
	if (is_asserted)
		vfio_pci_trigger_signal(&intx->trigger);
}

static void unmask_locked(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->irq_lock);

	if (unmask_line(vdev))
		vfio_pci_trigger_signal(&vdev->intx.trigger);
}

/**
 * vfio_pci_intx_mask() - Mask INTx, where it is in use
 * @vdev: the device
 *
 * Context: Process context. Takes irq_lock, so that INTx does not come or go
 * meanwhile; memory_lock must not be held.
 * Return: whether it was in use and not masked before.
 */
bool vfio_pci_intx_mask(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->irq_lock);
	return mask_any(vdev);
}

/**
 * vfio_pci_intx_unmask() - Unmask INTx, where it is in use
 * @vdev: the device
 *
 * Where the device still asserts the line, INTx stays masked and fires again.
 * While the user's own DisINTx is set, nothing is unmasked.
 *
 * Context: As vfio_pci_intx_mask().
 */
void vfio_pci_intx_unmask(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->irq_lock);
	unmask_locked(vdev);
}

/* The mask eventfd was signalled; its queue is locked. */
static int mask_handler(void *opaque, void *unused)
{
	mask_any(opaque);
	return 0;
}

/* The unmask eventfd was signalled; its queue is locked. */
static int unmask_handler(void *opaque, void *unused)
{
	return unmask_line(opaque);
}

static void unmask_thread(void *opaque, void *unused)
{
	struct vfio_pci_core_device *vdev = opaque;

	vfio_pci_trigger_signal(&vdev->intx.trigger);
}

static int request_line(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;
	unsigned long flags = IRQF_SHARED;
	int ret;

	if (!vdev->pci_2_3) {
		/*
		 * It must not fire before its state is set up below. And what
		 * is masked must be masked in the chip at once: a lazily masked
		 * level that the chip loses would never fire again.
		 */
		flags = IRQF_NO_AUTOEN;
		irq_set_status_flags(intx->irq, IRQ_DISABLE_UNLAZY);
	}

	ret = request_irq(intx->irq, intx_handler, flags, intx->name, vdev);
	if (ret && !vdev->pci_2_3)
		irq_clear_status_flags(intx->irq, IRQ_DISABLE_UNLAZY);
	return ret;
}

/* Takes over trigger, which may be NULL, on success. */
static int intx_enable(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_trigger *trigger)
{
	struct vfio_pci_intx *intx = &vdev->intx;
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	lockdep_assert_held(&vdev->irq_lock);

	if (vdev->nointx)
		return -ENODEV;

	intx->name = kasprintf(GFP_KERNEL_ACCOUNT, "vfio-intx(%s)",
			       pci_name(pdev));
	if (!intx->name)
		return -ENOMEM;

	intx->irq = pdev->irq;
	ret = request_line(vdev);
	if (ret) {
		kfree(intx->name);
		intx->name = NULL;
		return ret;
	}

	vfio_pci_trigger_replace(vdev, &intx->trigger, trigger);
	vdev->irq_type = VFIO_PCI_INTX_IRQ_INDEX;
	scoped_guard(spinlock_irqsave, &intx->lock) {
		intx->masked = true;
		intx->live = true;
	}
	vfio_pci_intx_sync(vdev);

	unmask_locked(vdev);
	return 0;
}

void vfio_pci_intx_disable(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->intx;

	lockdep_assert_held(&vdev->irq_lock);

	vfio_virqfd_disable(&intx->mask);
	vfio_virqfd_disable(&intx->unmask);
	scoped_guard(spinlock_irqsave, &intx->lock)
		intx->live = false;
	vfio_pci_intx_sync(vdev);

	free_irq(intx->irq, vdev);
	if (!vdev->pci_2_3)
		irq_clear_status_flags(intx->irq, IRQ_DISABLE_UNLAZY);
	vfio_pci_trigger_replace(vdev, &intx->trigger, NULL);
	kfree(intx->name);
	intx->name = NULL;
	vdev->irq_type = VFIO_PCI_NUM_IRQS;
}

static bool is_intx(const struct vfio_pci_core_device *vdev)
{
	return vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX;
}

/* There is one INTx, and every action but tearing it down names it. */
static bool names_intx(const struct vfio_pci_irq_request *req)
{
	return req->start == 0 && req->count == 1;
}

/* Have an eventfd call handler, and thread where that says so; none by -1. */
static int set_virqfd(struct vfio_pci_core_device *vdev, struct virqfd **slot,
		      int (*handler)(void *opaque, void *unused),
		      void (*thread)(void *opaque, void *unused), s32 fd)
{
	if (fd >= 0)
		return vfio_virqfd_enable(vdev, handler, thread, NULL, slot,
					  fd);

	vfio_virqfd_disable(slot);
	return 0;
}

int vfio_pci_intx_set_mask(struct vfio_pci_core_device *vdev,
			   const struct vfio_pci_irq_request *req)
{
	if (!is_intx(vdev) || !names_intx(req))
		return -EINVAL;

	switch (req->data_type) {
	case VFIO_IRQ_SET_DATA_NONE:
		mask_any(vdev);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (*(const u8 *)req->data)
			mask_any(vdev);
		return 0;
	default:
		return set_virqfd(vdev, &vdev->intx.mask, mask_handler, NULL,
				  *(const s32 *)req->data);
	}
}

int vfio_pci_intx_set_unmask(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_irq_request *req)
{
	if (!is_intx(vdev) || !names_intx(req))
		return -EINVAL;

	switch (req->data_type) {
	case VFIO_IRQ_SET_DATA_NONE:
		unmask_locked(vdev);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (*(const u8 *)req->data)
			unmask_locked(vdev);
		return 0;
	default:
		return set_virqfd(vdev, &vdev->intx.unmask, unmask_handler,
				  unmask_thread, *(const s32 *)req->data);
	}
}

static int set_trigger_eventfd(struct vfio_pci_core_device *vdev, s32 fd)
{
	struct vfio_pci_trigger *trigger = NULL;

	if (fd >= 0) {
		trigger = vfio_pci_trigger_get(fd);
		if (IS_ERR(trigger))
			return PTR_ERR(trigger);
	}

	if (!is_intx(vdev)) {
		int ret = intx_enable(vdev, trigger);

		if (ret && trigger)
			vfio_pci_trigger_put(trigger);
		return ret;
	}

	vfio_pci_trigger_replace(vdev, &vdev->intx.trigger, trigger);
	return 0;
}

int vfio_pci_intx_set_trigger(struct vfio_pci_core_device *vdev,
			      const struct vfio_pci_irq_request *req)
{
	if (is_intx(vdev) && !req->count &&
	    req->data_type == VFIO_IRQ_SET_DATA_NONE) {
		vfio_pci_intx_disable(vdev);
		return 0;
	}

	if (!is_intx(vdev) && vdev->irq_type != VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (!names_intx(req))
		return -EINVAL;

	if (req->data_type == VFIO_IRQ_SET_DATA_EVENTFD)
		return set_trigger_eventfd(vdev, *(const s32 *)req->data);
	if (!is_intx(vdev))
		return -EINVAL;

	if (req->data_type == VFIO_IRQ_SET_DATA_NONE || *(const u8 *)req->data)
		vfio_pci_trigger_signal(&vdev->intx.trigger);
	return 0;
}
