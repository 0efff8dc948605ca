// SPDX-License-Identifier: GPL-2.0-only
/* The type1 backend as a module: parameters, birth and death of an address space. */
#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "backend.h"
#include "type1.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Let groups be used whose devices can raise the interrupts of others");

static bool disable_hugepages;
module_param(disable_hugepages, bool, 0644);
MODULE_PARM_DESC(disable_hugepages,
		 "Enter every page into the IOMMU by itself");

static unsigned int dma_entry_limit = U16_MAX;
module_param(dma_entry_limit, uint, 0644);
MODULE_PARM_DESC(dma_entry_limit,
		 "Mappings that one container may have (65535)");

/**
 * type1_unsafe_interrupts_allowed() - The parameter allow_unsafe_interrupts
 *
 * Context: Any.
 * Return: its value now.
 */
bool type1_unsafe_interrupts_allowed(void)
{
	return READ_ONCE(allow_unsafe_interrupts);
}

/**
 * type1_huge_pages_disabled() - The parameter disable_hugepages
 *
 * Context: Any.
 * Return: its value now.
 */
bool type1_huge_pages_disabled(void)
{
	return READ_ONCE(disable_hugepages);
}

static struct type1 *alloc_address_space(unsigned long type)
{
	struct type1 *iommu;

	iommu = kzalloc(sizeof(*iommu), GFP_KERNEL_ACCOUNT);
	if (!iommu)
		return NULL;

	iommu->scratch = kmalloc_array(TYPE1_SCRATCH_PAGES,
				       sizeof(*iommu->scratch),
				       GFP_KERNEL_ACCOUNT);
	if (!iommu->scratch)
		goto out_free;
	if (iova_ranges_init(&iommu->ranges))
		goto out_free_scratch;

	mutex_init(&iommu->users_lock);
	INIT_LIST_HEAD(&iommu->users);
	mutex_init(&iommu->lock);
	init_waitqueue_head(&iommu->settled_wait);
	INIT_LIST_HEAD(&iommu->domains);
	INIT_LIST_HEAD(&iommu->emulated_groups);
	INIT_LIST_HEAD(&iommu->unmaps);
	iommu->mappings = RB_ROOT;
	iommu->mappings_left = READ_ONCE(dma_entry_limit);
	iommu->pgsizes = PAGE_MASK;
	iommu->is_v2 = type != VFIO_TYPE1_IOMMU;
	iommu->is_nesting = type == VFIO_TYPE1_NESTING_IOMMU;
	return iommu;

out_free_scratch:
	kfree(iommu->scratch);
out_free:
	kfree(iommu);
	return NULL;
}

/**
 * type1_is_known() - Is this a type of IOMMU that the backend takes?
 * @type: what a user gave to VFIO_SET_IOMMU or VFIO_CHECK_EXTENSION
 *
 * Context: Any.
 * Return: true for versions 1 and 2, and for the form that asks for nesting.
 */
bool type1_is_known(unsigned long type)
{
	return type == VFIO_TYPE1_IOMMU || type == VFIO_TYPE1v2_IOMMU ||
	       type == VFIO_TYPE1_NESTING_IOMMU;
}

VISIBLE_IF_KUNIT void *type1_open(unsigned long type)
{
	if (!type1_is_known(type))
		return ERR_PTR(-EINVAL);

	return alloc_address_space(type) ?: ERR_PTR(-ENOMEM);
}

VISIBLE_IF_KUNIT void type1_release(void *iommu_data)
{
	struct type1 *iommu = iommu_data;

	WARN_ON_ONCE(!list_empty(&iommu->domains));
	WARN_ON_ONCE(!list_empty(&iommu->emulated_groups));
	WARN_ON_ONCE(!list_empty(&iommu->users));

	type1_mappings_destroy(iommu);
	type1_payer_put(iommu->payer);
	iova_ranges_destroy(&iommu->ranges);
	mutex_destroy(&iommu->lock);
	mutex_destroy(&iommu->users_lock);
	kfree(iommu->scratch);
	kfree(iommu);
}

/* One mapping in a line. */
static void show_mapping(struct seq_file *m,
			 const struct type1_mapping *mapping)
{
	seq_printf(m, "vfio-type1-mapping:\t%#lx-%#lx %c%c charged=%lu held=%lu",
		   mapping->span.first, mapping->span.last,
		   mapping->prot & IOMMU_READ ? 'r' : '-',
		   mapping->prot & IOMMU_WRITE ? 'w' : '-',
		   extent_log_counted(&mapping->log) +
		   type1_pins_charged(mapping), type1_pins(mapping));
	if (type1_dirty_bits(mapping))
		seq_printf(m, " dirty=%u",
			   bitmap_weight(type1_dirty_bits(mapping),
					 type1_mapping_pages(mapping)));
	if (mapping->is_busy)
		seq_puts(m, " busy");
	if (mapping->is_suspended)
		seq_puts(m, " suspended");
	seq_putc(m, '\n');
}

/* What an address space holds, for /proc/PID/fdinfo. */
static void type1_show_fdinfo(void *iommu_data, struct seq_file *m)
{
	struct type1 *iommu = iommu_data;
	struct type1_mapping *mapping;
	unsigned long nr = 0, pinned = 0, held = 0, logged = 0;
	unsigned int busy = 0;

	guard(mutex)(&iommu->lock);
	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping)) {
		nr++;
		busy += mapping->is_busy;
		pinned += extent_log_counted(&mapping->log);
		held += type1_pins(mapping);
		logged += extent_log_bytes(&mapping->log);
	}

	seq_printf(m, "vfio-type1-version:\t%d\n", iommu->is_v2 ? 2 : 1);
	seq_printf(m, "vfio-type1-mappings:\t%lu (%u busy, %u suspended, %u left)\n",
		   nr, busy, iommu->nr_suspended, iommu->mappings_left);
	seq_printf(m, "vfio-type1-pinned-pages:\t%lu\n", pinned);
	seq_printf(m, "vfio-type1-held-pages:\t%lu\n", held);
	seq_printf(m, "vfio-type1-dirty-tracking:\t%s%s\n",
		   iommu->is_tracking ? "on" : "off",
		   iommu->wide_groups ? ", a group reaches everything" : "");
	seq_printf(m, "vfio-type1-log-bytes:\t%lu\n", logged);

	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping)) {
		show_mapping(m, mapping);
		/* Then it is called again with more room. */
		if (seq_has_overflowed(m))
			break;
		cond_resched();
	}
}

static const struct vfio_iommu_driver_ops type1_ops = {
	.name			= "vfio-iommu-type1",
	.owner			= THIS_MODULE,
	.open			= type1_open,
	.release		= type1_release,
	.ioctl			= type1_ioctl,
	.attach_group		= type1_attach_group,
	.detach_group		= type1_detach_group,
	.populate		= type1_populate,
	.pin_pages		= type1_device_pin,
	.unpin_pages		= type1_device_unpin,
	.register_device	= type1_register_device,
	.unregister_device	= type1_unregister_device,
	.dma_rw			= type1_dma_rw,
	.group_iommu_domain	= type1_group_domain,
	.show_fdinfo		= type1_show_fdinfo,
};

static int __init type1_init(void)
{
	int ret;

	ret = type1_mappings_init();
	if (ret)
		return ret;

	ret = vfio_register_iommu_driver(&type1_ops);
	if (ret)
		type1_mappings_exit();
	return ret;
}
module_init(type1_init);

static void __exit type1_exit(void)
{
	vfio_unregister_iommu_driver(&type1_ops);
	type1_mappings_exit();
}
module_exit(type1_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO backend for IOMMUs with page tables of the kernel's");
