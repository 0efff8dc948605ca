// SPDX-License-Identifier: GPL-2.0-only
/*
 * The header's registers that mean more than their bits: the command
 * register, the BARs and the interrupt pin.
 *
 * The low byte of the command register decides whether the device decodes its
 * BARs. The user's wish for it is kept in the virtual copy, and only under
 * memory_lock for writing, so that whoever holds that lock knows whether
 * registers may be touched. The high byte holds DisINTx. The user's is
 * virtual and masks INTx through the interrupt room, which owns the hardware's
 * bit and changes it from its interrupt handler.
 */
#include <linux/pci.h>

#include "private.h"
#include "config.h"

#define COMMAND_DECODE		(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define COMMAND_HIGH		(PCI_COMMAND + 1)
#define HIGH_INTX_DISABLE	(PCI_COMMAND_INTX_DISABLE >> 8)

/* A VF decodes memory when its PF says so; its own bit does not exist */
static bool memory_bit_is_virtual(const struct pci_dev *pdev)
{
	return pdev->is_virtfn || pdev->no_command_memory;
}

/**
 * vfio_pci_memory_enabled() - May memory BARs be touched?
 * @vdev: open device
 *
 * Context: memory_lock held, for reading or writing.
 * Return: true if the user has memory decode on and the device has power
 */
bool vfio_pci_memory_enabled(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	lockdep_assert_held(&vdev->memory_lock);

	if (vfio_pci_is_asleep(pdev->current_state))
		return false;
	return memory_bit_is_virtual(pdev) ||
	       (READ_ONCE(vdev->vconfig[PCI_COMMAND]) & PCI_COMMAND_MEMORY);
}

/**
 * vfio_pci_memory_force() - Have memory decoded, whatever the user set
 * @vdev: open device, in D0
 *
 * The MSI-X table is in a BAR, so the kernel needs the BARs to change it.
 *
 * Context: May sleep; memory_lock held for writing until
 * vfio_pci_memory_restore() with what this returns.
 * Return: the command register as it was
 */
u16 vfio_pci_memory_force(struct vfio_pci_core_device *vdev)
{
	u16 cmd;

	lockdep_assert_held_write(&vdev->memory_lock);

	pci_read_config_word(vdev->pdev, PCI_COMMAND, &cmd);
	/* One byte, so that DisINTx in the other cannot be lost */
	if (!(cmd & PCI_COMMAND_MEMORY))
		pci_write_config_byte(vdev->pdev, PCI_COMMAND,
				      cmd | PCI_COMMAND_MEMORY);
	return cmd;
}

/**
 * vfio_pci_memory_restore() - End what vfio_pci_memory_force() began
 * @vdev: open device
 * @cmd: what vfio_pci_memory_force() returned
 *
 * Context: May sleep; memory_lock held for writing.
 */
void vfio_pci_memory_restore(struct vfio_pci_core_device *vdev, u16 cmd)
{
	lockdep_assert_held_write(&vdev->memory_lock);

	if (!(cmd & PCI_COMMAND_MEMORY))
		pci_write_config_byte(vdev->pdev, PCI_COMMAND, cmd);
}

static unsigned int rbar_pos(unsigned int i)
{
	return i < PCI_STD_NUM_BARS ? PCI_BASE_ADDRESS_0 + 4 * i :
				      PCI_ROM_ADDRESS;
}

/* Do the BARs hold other than what the host assigned? */
static bool bars_are_lost(struct vfio_pci_core_device *vdev)
{
	unsigned int i;
	u32 bar, diff;

	for (i = 0; i < ARRAY_SIZE(vdev->rbar); i++) {
		if (pci_user_read_config_dword(vdev->pdev, rbar_pos(i), &bar) ||
		    PCI_POSSIBLE_ERROR(bar))
			return false;

		diff = bar ^ vdev->rbar[i];
		/* Whether the ROM decodes is for its reader to say */
		if (rbar_pos(i) == PCI_ROM_ADDRESS)
			diff &= ~PCI_ROM_ADDRESS_ENABLE;
		if (diff)
			return true;
	}
	return false;
}

/*
 * A device can be reset without the kernel knowing, through a register of its
 * own. The user sees no loss, because BARs are virtual, and turns decode on
 * again: that is the time to give the hardware its addresses back.
 */
static void restore_lost_bars(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	unsigned int i;

	lockdep_assert_held_write(&vdev->memory_lock);

	if (pdev->is_virtfn || !bars_are_lost(vdev))
		return;

	pci_info_ratelimited(pdev, "reset behind the kernel, restoring BARs\n");
	vfio_pci_config_write_hw(vdev, PCI_COMMAND, 1, COMMAND_DECODE, 0);
	for (i = 0; i < ARRAY_SIZE(vdev->rbar); i++)
		pci_user_write_config_dword(pdev, rbar_pos(i), vdev->rbar[i]);

	/* DisINTx is gone as well, and perhaps nobody answers the line now */
	vfio_pci_intx_sync(vdev);
}

/* The command register's low byte */
static int write_decode(struct vfio_pci_core_device *vdev, u8 new)
{
	u8 *cmd = &vdev->vconfig[PCI_COMMAND];
	u8 hw = ~vfio_pci_config_dword(vdev->pci_config_map, PCI_COMMAND)->virt;
	bool ends_memory = !memory_bit_is_virtual(vdev->pdev) &&
			   (*cmd & ~new & PCI_COMMAND_MEMORY);
	int ret;

	/* Nobody may be using a mapping when the device stops to answer */
	if (ends_memory)
		vfio_pci_memory_write_lock(vdev);
	else
		down_write(&vdev->memory_lock);

	if (ends_memory)
		WRITE_ONCE(*cmd, *cmd & ~PCI_COMMAND_MEMORY);
	if (new & COMMAND_DECODE)
		restore_lost_bars(vdev);
	ret = vfio_pci_config_write_hw(vdev, PCI_COMMAND, 1, hw, new);
	if (!ret)
		WRITE_ONCE(*cmd, new);

	if (ends_memory)
		vfio_pci_memory_write_unlock(vdev);
	else
		up_write(&vdev->memory_lock);
	return ret;
}

/*
 * Write the high byte's bits that are the hardware's. DisINTx beside them may
 * be changed by INTx's handler at any time, so reading and writing back must
 * exclude that handler. The kernel's accessors do not sleep; that no reset is
 * under way has to be made sure of before.
 */
static void write_high_hw(struct vfio_pci_core_device *vdev, u8 new)
{
	struct pci_dev *pdev = vdev->pdev;
	u8 old;

	pci_cfg_access_lock(pdev);
	scoped_guard(spinlock_irq, &vdev->intx.lock) {
		pci_read_config_byte(pdev, COMMAND_HIGH, &old);
		pci_write_config_byte(pdev, COMMAND_HIGH,
				      (old & HIGH_INTX_DISABLE) |
				      (new & ~HIGH_INTX_DISABLE));
	}
	pci_cfg_access_unlock(pdev);
}

/* The command register's high byte */
static int write_high(struct vfio_pci_core_device *vdev, u8 new)
{
	bool disable = new & HIGH_INTX_DISABLE;
	u8 old;
	int ret;

	ret = pci_user_read_config_byte(vdev->pdev, COMMAND_HIGH, &old);
	if (ret)
		return ret;
	if ((old ^ new) & ~HIGH_INTX_DISABLE)
		write_high_hw(vdev, new);

	vdev->vconfig[COMMAND_HIGH] = new;
	if (disable == vdev->virq_disabled)
		return 0;

	/*
	 * Set before masking: whoever enables INTx meanwhile either sees it or
	 * has finished, under irq_lock, before it is masked here.
	 */
	WRITE_ONCE(vdev->virq_disabled, disable);
	if (disable)
		vfio_pci_intx_mask(vdev);
	else
		vfio_pci_intx_unmask(vdev);
	return 0;
}

/**
 * vfio_pci_command_write() - Write the command register
 * @vdev: open device
 * @pos: where the chunk begins, in the dword of command and status register
 * @bytes: its length
 * @val: what the user wrote
 *
 * Context: May sleep; config_lock held. Takes memory_lock for writing, and
 * after it irq_lock.
 * Return: 0, or what the hardware failed with
 */
int vfio_pci_command_write(struct vfio_pci_core_device *vdev, unsigned int pos,
			   unsigned int bytes, u32 val)
{
	unsigned int end = pos + bytes;
	int ret = 0;

	lockdep_assert_held(&vdev->config_lock);

	/* What remains is the status register, which is read-only */
	if (pos == PCI_COMMAND)
		ret = write_decode(vdev, val);
	if (!ret && pos <= COMMAND_HIGH && end > COMMAND_HIGH)
		ret = write_high(vdev, val >> (8 * (COMMAND_HIGH - pos)));
	return ret;
}

static u64 bar_size(const struct pci_dev *pdev, unsigned int i)
{
	const struct resource *res = &pdev->resource[i];

	/* What the host gave no address is not there for the user */
	if (!res->start)
		return 0;
	if (i == PCI_ROM_RESOURCE && (res->flags & IORESOURCE_ROM_SHADOW))
		return SZ_128K;
	return resource_size(res);
}

static void set_bar(struct vfio_pci_core_device *vdev, unsigned int pos,
		    u32 write, u32 fixed)
{
	u32 bar = vfio_pci_vconfig_get(vdev->vconfig, pos);

	vfio_pci_config_dword(vdev->pci_config_map, pos)->write = write;
	vfio_pci_vconfig_set(vdev->vconfig, pos, (bar & write) | fixed);
}

/* Give the BARs their sizes; the virtual copy still has the hardware's */
static void open_bars(struct vfio_pci_core_device *vdev)
{
	const struct pci_dev *pdev = vdev->pdev;
	u32 write[2], fixed[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vdev->rbar); i++)
		vdev->rbar[i] = vfio_pci_vconfig_get(vdev->vconfig,
						     rbar_pos(i));

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		vfio_pci_bar_perms(bar_size(pdev, i), pdev->resource[i].flags,
				   write, fixed);
		set_bar(vdev, rbar_pos(i), write[0], fixed[0]);
		if (!(fixed[0] & PCI_BASE_ADDRESS_MEM_TYPE_64) ||
		    i == PCI_STD_NUM_BARS - 1)
			continue;
		set_bar(vdev, rbar_pos(++i), write[1], fixed[1]);
	}

	vfio_pci_bar_perms(bar_size(pdev, PCI_ROM_RESOURCE), IORESOURCE_MEM,
			   write, fixed);
	if (write[0])
		write[0] = (write[0] & PCI_ROM_ADDRESS_MASK) |
			   PCI_ROM_ADDRESS_ENABLE;
	set_bar(vdev, PCI_ROM_ADDRESS, write[0], 0);
}

/**
 * vfio_pci_header_open() - Fit the header to the device
 * @vdev: device that is being opened, with its map just built
 *
 * Context: Nobody else knows the map yet.
 */
void vfio_pci_header_open(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u8 *vconfig = vdev->vconfig;

	vdev->virq_disabled = false;
	open_bars(vdev);

	if (pdev->is_virtfn)
		vfio_pci_vconfig_set(vconfig, PCI_VENDOR_ID,
				     pdev->vendor | pdev->device << 16);
	if (memory_bit_is_virtual(pdev)) {
		vfio_pci_config_dword(vdev->pci_config_map, PCI_COMMAND)->virt |=
			PCI_COMMAND_MEMORY;
		vconfig[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	}
	/* The same answer as interrupt info gives */
	if (vdev->nointx)
		vconfig[PCI_INTERRUPT_PIN] = 0;
}
