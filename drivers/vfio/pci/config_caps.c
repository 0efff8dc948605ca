// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capability registers whose writing is a request to the kernel: power state,
 * VPD, MSI control, and the resets and sizes of PCI Express and AF.
 *
 * A capability that is shown has the registers that its trap relies on; the
 * rules in config_perm.c see to it.
 */
#include <linux/bitfield.h>
#include <linux/pci.h>
#include <kunit/visibility.h>

#include "private.h"
#include "config.h"

/* Where the capability begins that the dword at pos belongs to */
static unsigned int cap_pos(struct vfio_pci_core_device *vdev, unsigned int pos)
{
	return vfio_pci_config_dword(vdev->pci_config_map, pos)->cap;
}

/* Put a chunk where it is in its dword, with a mask of what it covers */
static u32 chunk_in_dword(unsigned int pos, unsigned int bytes, u32 *val)
{
	unsigned int shift = vfio_pci_chunk_shift(pos);

	*val <<= shift;
	return vfio_pci_chunk_mask(bytes) << shift;
}

/* PMCSR's data select, which shares its byte with PME status */
static int write_data_select(struct vfio_pci_core_device *vdev,
			     unsigned int ctrl, u32 val)
{
	u8 select = PCI_PM_CTRL_DATA_SEL_MASK >> 8;
	u8 status = PCI_PM_CTRL_PME_STATUS >> 8;
	u8 byte;
	int ret;

	ret = pci_user_read_config_byte(vdev->pdev, ctrl + 1, &byte);
	if (ret)
		return ret;

	/* Written back as a one, the status would be cleared */
	byte &= ~(select | status);
	return pci_user_write_config_byte(vdev->pdev, ctrl + 1,
					  byte | ((val >> 8) & select));
}

/**
 * vfio_pci_pm_write() - Write the power management control register
 * @vdev: open device
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what the user wrote
 *
 * A power state that the host cannot allow is dropped without an error, as by
 * a device that does not have it.
 *
 * Context: May sleep; config_lock held. Takes memory_lock for writing, having
 * zapped all mappings, when the power state changes.
 * Return: 0, or what the hardware failed with
 */
int vfio_pci_pm_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		      unsigned int bytes, u32 val)
{
	u32 covered = chunk_in_dword(pos, bytes, &val);
	pci_power_t state = (__force pci_power_t)(val & PCI_PM_CTRL_STATE_MASK);
	int ret = 0;

	lockdep_assert_held(&vdev->config_lock);

	if (covered & PCI_PM_CTRL_DATA_SEL_MASK)
		ret = write_data_select(vdev, ALIGN_DOWN(pos, 4), val);
	if (ret || !(covered & PCI_PM_CTRL_STATE_MASK))
		return ret;

	if (state != READ_ONCE(vdev->pdev->current_state)) {
		vfio_pci_memory_write_lock(vdev);
		vfio_pci_set_power_state(vdev, state);
		vfio_pci_memory_write_unlock(vdev);
	}
	return 0;
}

/*
 * Do what the address register asks for: F clear reads a dword and sets F when
 * it is there; F set writes the data register's and clears F when it is done.
 * A failure leaves F, and the user waiting, as with real hardware.
 */
static void run_vpd(struct vfio_pci_core_device *vdev, unsigned int cap)
{
	u8 *reg = &vdev->vconfig[cap + PCI_VPD_ADDR];
	u8 *data = &vdev->vconfig[cap + PCI_VPD_DATA];
	u16 addr = get_unaligned_le16(reg);
	unsigned int offset = addr & PCI_VPD_ADDR_MASK;

	if (addr & PCI_VPD_ADDR_F) {
		if (pci_write_vpd(vdev->pdev, offset, 4, data) != 4)
			return;
	} else {
		u8 dword[4];

		if (pci_read_vpd(vdev->pdev, offset, 4, dword) != 4)
			return;
		memcpy(data, dword, sizeof(dword));
	}
	put_unaligned_le16(addr ^ PCI_VPD_ADDR_F, reg);
}

/**
 * vfio_pci_vpd_write() - Write the VPD address register
 * @vdev: open device
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what the user wrote
 *
 * Context: May sleep, for as long as the device's VPD takes; config_lock held.
 * Return: 0
 */
int vfio_pci_vpd_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		       unsigned int bytes, u32 val)
{
	u32 written = val;
	int ret;

	lockdep_assert_held(&vdev->config_lock);

	ret = vfio_pci_config_write_plain(vdev, pos, bytes, written);
	/* F is in the last byte: an access that leaves it out is half of one */
	if (!ret && chunk_in_dword(pos, bytes, &val) >> 24)
		run_vpd(vdev, cap_pos(vdev, pos));
	return ret;
}

/* The number of vectors that a field of MSI's flags can stand for, as log2 */
static unsigned int msi_vectors_max(u16 flags, bool active, unsigned int qmax)
{
	return min3(FIELD_GET(PCI_MSI_FLAGS_QMASK, flags), active ? qmax : 5U,
		    5U);
}

static u16 limit_msi_flags(u16 flags, bool active, unsigned int qmax)
{
	unsigned int max = msi_vectors_max(flags, active, qmax);
	unsigned int size = min(FIELD_GET(PCI_MSI_FLAGS_QSIZE, flags), max);

	flags &= ~PCI_MSI_FLAGS_QSIZE;
	flags |= FIELD_PREP(PCI_MSI_FLAGS_QSIZE, size);
	if (!active)
		flags &= ~PCI_MSI_FLAGS_ENABLE;
	return flags;
}

/**
 * vfio_pci_msi_flags_taken() - What becomes of MSI flags that the user writes
 * @flags: with the user's enable and size fields
 * @active: MSI was enabled by VFIO_DEVICE_SET_IRQS
 * @qmax: log2 of the vectors that it enabled
 *
 * Return: the flags, whose enable bit stands only while MSI is active, and whose
 * size is no more than there are vectors
 */
VISIBLE_IF_KUNIT u16 vfio_pci_msi_flags_taken(u16 flags, bool active,
					      unsigned int qmax)
{
	return limit_msi_flags(flags, active, qmax);
}

/**
 * vfio_pci_msi_flags_shown() - MSI flags as the user reads them
 * @flags: as they are in the virtual copy
 * @active: MSI was enabled by VFIO_DEVICE_SET_IRQS
 * @qmax: log2 of the vectors that it enabled
 *
 * Return: the flags, offering no more vectors than there are
 */
VISIBLE_IF_KUNIT u16 vfio_pci_msi_flags_shown(u16 flags, bool active,
					      unsigned int qmax)
{
	unsigned int max = msi_vectors_max(flags, active, qmax);

	flags = limit_msi_flags(flags, active, qmax) & ~PCI_MSI_FLAGS_QMASK;
	return flags | FIELD_PREP(PCI_MSI_FLAGS_QMASK, max);
}

/**
 * vfio_pci_msi_flags_read() - Correct what was read of MSI's first dword
 * @vdev: open device
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what was read; changed to what the user is to see
 *
 * Context: May sleep; config_lock held. Takes irq_lock.
 */
void vfio_pci_msi_flags_read(struct vfio_pci_core_device *vdev,
			     unsigned int pos, unsigned int bytes, u32 *val)
{
	unsigned int shift = vfio_pci_chunk_shift(pos);
	u32 covered = vfio_pci_chunk_mask(bytes) << shift;
	u32 flags = vfio_pci_vconfig_get(vdev->vconfig, pos) >> 16;
	u32 virt = 0xff << 16;

	lockdep_assert_held(&vdev->config_lock);

	if (!(covered & virt))
		return;

	scoped_guard(mutex, &vdev->irq_lock)
		flags = vfio_pci_msi_flags_shown(flags,
						 vdev->irq_type ==
						 VFIO_PCI_MSI_IRQ_INDEX,
						 vdev->msi_qmax);

	/* The high byte of the flags is the hardware's */
	virt &= covered;
	*val = (*val & ~(virt >> shift)) | (((flags << 16) & virt) >> shift);
}

/**
 * vfio_pci_msi_flags_write() - Write MSI's control register
 * @vdev: open device
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what the user wrote
 *
 * Vectors come and go by VFIO_DEVICE_SET_IRQS alone. While they are there the
 * user may switch the device's use of them, and lower their number.
 *
 * Context: May sleep; config_lock held. Takes irq_lock.
 * Return: 0, or what the hardware failed with
 */
int vfio_pci_msi_flags_write(struct vfio_pci_core_device *vdev,
			     unsigned int pos, unsigned int bytes, u32 val)
{
	unsigned int flags_pos = cap_pos(vdev, pos) + PCI_MSI_FLAGS;
	u8 *low = &vdev->vconfig[flags_pos];
	bool active;
	int ret;

	lockdep_assert_held(&vdev->config_lock);

	if (pos > flags_pos || pos + bytes <= flags_pos)
		return 0;

	guard(mutex)(&vdev->irq_lock);

	active = vdev->irq_type == VFIO_PCI_MSI_IRQ_INDEX;
	ret = vfio_pci_config_write_plain(vdev, pos, bytes, val);
	if (ret)
		return ret;

	*low = vfio_pci_msi_flags_taken(*low, active, vdev->msi_qmax);
	if (!active)
		return 0;
	return vfio_pci_config_write_hw(vdev, flags_pos, 1,
					PCI_MSI_FLAGS_ENABLE |
					PCI_MSI_FLAGS_QSIZE, *low);
}

/* Never ask for less than a packet: some devices hang on it */
static void set_read_request(struct vfio_pci_core_device *vdev, u16 devctl)
{
	struct pci_dev *pdev = vdev->pdev;
	int size = 128 << FIELD_GET(PCI_EXP_DEVCTL_READRQ, devctl);

	size = max(size, pcie_get_mps(pdev));
	if (size != pcie_get_readrq(pdev))
		pcie_set_readrq(pdev, size);
}

/**
 * vfio_pci_exp_write() - Write PCI Express' device control register
 * @vdev: open device
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what the user wrote
 *
 * Context: May sleep; config_lock held. A function level reset takes
 * memory_lock for writing, having zapped all mappings.
 * Return: 0, or what the hardware failed with
 */
int vfio_pci_exp_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		       unsigned int bytes, u32 val)
{
	unsigned int shift = vfio_pci_chunk_shift(pos);
	u32 reset = PCI_EXP_DEVCTL_BCR_FLR >> shift;
	u32 written = val;
	u32 covered = chunk_in_dword(pos, bytes, &val);
	u32 devcap;
	int ret;

	lockdep_assert_held(&vdev->config_lock);

	/* The bit that asks for a reset is never seen set */
	ret = vfio_pci_config_write_plain(vdev, pos, bytes, written & ~reset);
	if (ret)
		return ret;
	if (covered & PCI_EXP_DEVCTL_READRQ)
		set_read_request(vdev, val);
	if (!(val & covered & PCI_EXP_DEVCTL_BCR_FLR))
		return 0;

	ret = pci_user_read_config_dword(vdev->pdev,
					 cap_pos(vdev, pos) + PCI_EXP_DEVCAP,
					 &devcap);
	if (!ret && (devcap & PCI_EXP_DEVCAP_FLR))
		vfio_pci_function_reset(vdev);
	return ret;
}

/**
 * vfio_pci_af_write() - Write the control register of Advanced Features
 * @vdev: open device
 * @pos: where the chunk begins
 * @bytes: its length
 * @val: what the user wrote
 *
 * Context: May sleep; config_lock held. A function level reset takes
 * memory_lock for writing, having zapped all mappings.
 * Return: 0, or what the hardware failed with
 */
int vfio_pci_af_write(struct vfio_pci_core_device *vdev, unsigned int pos,
		      unsigned int bytes, u32 val)
{
	u8 needs = PCI_AF_CAP_FLR | PCI_AF_CAP_TP;
	u32 covered = chunk_in_dword(pos, bytes, &val);
	u8 cap;
	int ret;

	lockdep_assert_held(&vdev->config_lock);

	if (!(val & covered & PCI_AF_CTRL_FLR))
		return 0;

	ret = pci_user_read_config_byte(vdev->pdev,
					cap_pos(vdev, pos) + PCI_AF_CAP, &cap);
	if (!ret && (cap & needs) == needs)
		vfio_pci_function_reset(vdev);
	return ret;
}
