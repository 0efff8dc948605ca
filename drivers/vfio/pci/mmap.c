// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs in user address spaces: mapping them, faults, and taking them away.
 *
 * No list of mappings is kept. A mapping begins empty; a fault fills in what
 * was touched while the gate is open, and whoever is about to make registers
 * unreachable takes memory_lock for writing and empties all mappings of the
 * device through the inode they share. Later touches fault again and wait for
 * the lock, then find the gate open or get SIGBUS.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pfn_t.h>

#include "private.h"

#define REGION_PGOFF_MASK	(VFIO_PCI_OFFSET_MASK >> PAGE_SHIFT)

static void zap_bars(struct vfio_pci_core_device *vdev)
{
	const loff_t first = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX);
	const loff_t end = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX);
	struct inode *inode = vdev->vdev.inode;

	lockdep_assert_held_write(&vdev->memory_lock);

	if (inode)
		unmap_mapping_range(inode->i_mapping, first, end - first, true);
}

/*
 * Shut every user out of the device's memory, before decode, power or reset
 * make it unreachable. Pairs with vfio_pci_memory_write_unlock().
 */
void vfio_pci_memory_write_lock(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
	zap_bars(vdev);
}

/* The same where several devices are locked at once, in no order of theirs. */
bool vfio_pci_memory_try_write_lock(struct vfio_pci_core_device *vdev)
{
	if (!down_write_trylock(&vdev->memory_lock))
		return false;

	zap_bars(vdev);
	return true;
}

void vfio_pci_memory_write_unlock(struct vfio_pci_core_device *vdev)
{
	up_write(&vdev->memory_lock);
}

static unsigned long page_to_map(struct vfio_pci_core_device *vdev,
				 struct vm_area_struct *vma, unsigned long addr)
{
	unsigned int bar = vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);
	unsigned long page = (vma->vm_pgoff & REGION_PGOFF_MASK) +
			     ((addr - vma->vm_start) >> PAGE_SHIFT);

	return PHYS_PFN(pci_resource_start(vdev->pdev, bar)) + page;
}

/* Is the aligned block around the fault inside the VMA and aligned below? */
static bool is_block_whole(struct vm_area_struct *vma, unsigned long addr,
			   unsigned long pfn, unsigned int order)
{
	unsigned long size = PAGE_SIZE << order;

	return addr >= vma->vm_start && vma->vm_end - addr >= size &&
	       IS_ALIGNED(pfn, 1UL << order);
}

/*
 * Two faults may come here for the same place. The inserters leave alone what
 * is there already, so the second changes nothing and retries the access.
 * Write access comes from the VMA's protection; no write fault is asked for,
 * since that would require the entry to be the one found.
 */
static vm_fault_t insert_block(struct vm_fault *vmf, unsigned long pfn,
			       unsigned int order)
{
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	if (order == PMD_ORDER)
		return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV),
					  false);
#endif
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	if (order == PUD_ORDER)
		return vmf_insert_pfn_pud(vmf, __pfn_to_pfn_t(pfn, PFN_DEV),
					  false);
#endif
	if (!order)
		return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, pfn);
	return VM_FAULT_FALLBACK;
}

static vm_fault_t bar_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vfio_pci_core_device *vdev = vma->vm_private_data;
	unsigned long addr = vmf->address & ~((PAGE_SIZE << order) - 1);
	unsigned long pfn;
	vm_fault_t ret;

	if (addr < vma->vm_start)
		return VM_FAULT_FALLBACK;
	pfn = page_to_map(vdev, vma, addr);
	if (!is_block_whole(vma, addr, pfn, order))
		return VM_FAULT_FALLBACK;

	if (vfio_pci_gate_begin(vdev, VFIO_PCI_GATE_MEMORY |
				      VFIO_PCI_GATE_NO_SLEEP))
		return VM_FAULT_SIGBUS;
	ret = insert_block(vmf, pfn, order);
	vfio_pci_gate_end(vdev);
	return ret;
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return bar_huge_fault(vmf, 0);
}

static const struct vm_operations_struct bar_vm_ops = {
	.fault = bar_fault,
#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
	.huge_fault = bar_huge_fault,
#endif
};

/*
 * Sizes: an offset within a region has VFIO_PCI_OFFSET_SHIFT bits and a VMA is
 * shorter than the address space, but their sum may still wrap on 32 bit.
 */
static bool is_inside_bar(struct vfio_pci_core_device *vdev, unsigned int index,
			  struct vm_area_struct *vma)
{
	u64 start = (u64)(vma->vm_pgoff & REGION_PGOFF_MASK) << PAGE_SHIFT;
	u64 room = PAGE_ALIGN(pci_resource_len(vdev->pdev, index));
	u64 end;

	return !check_add_overflow(start, (u64)vma->vm_end - vma->vm_start,
				   &end) && end <= room;
}

int vfio_pci_bar_mmap(struct vfio_pci_core_device *vdev, unsigned int index,
		      struct vm_area_struct *vma)
{
	if (!is_inside_bar(vdev, index, vma))
		return -EINVAL;

	vma->vm_private_data = vdev;
	vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));

	/*
	 * PCI takes any order and combining of CPU accesses without machine
	 * checks, so a hypervisor may let its guest choose the memory type.
	 */
	vm_flags_set(vma, VM_ALLOW_ANY_UNCACHED | VM_IO | VM_PFNMAP |
			  VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &bar_vm_ops;
	return 0;
}
