// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspended mappings: memory that a program hands over to the next one.
 *
 * A monitor of virtual machines replaces itself, by exec or by another process,
 * while devices go on. The old program takes the addresses of its mappings away,
 * which are of no use any more once it is gone; the new one, which has the same
 * memory somewhere else, gives them new addresses. Meanwhile all that is pinned
 * stays pinned and in the domains, so devices notice nothing. But nothing can be
 * done that needs an address: no group joins, no driver pins or copies.
 *
 * Who gives the new address pays for the mapping from then on.
 *
 * An emulated group's driver needs addresses at any time, and a thread of the
 * kernel's that waited for one could wait for ever. So the two exclude each other.
 */
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "type1.h"

/* Is there a mapping that is being filled or unmapped, or that a driver copies? */
static bool meets_used(struct type1 *iommu, struct iova_span span)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&iommu->lock);

	for (mapping = type1_first_within(iommu, span); mapping;
	     mapping = type1_next_within(mapping, span))
		if (mapping->is_busy || mapping->copies)
			return true;
	return false;
}

static int check_suspend(struct type1 *iommu, struct iova_span span,
			 enum type1_rule *why)
{
	lockdep_assert_held(&iommu->lock);

	*why = TYPE1_RULE_EMULATED;
	if (!list_empty(&iommu->emulated_groups))
		return -EBUSY;
	return type1_check_cuts(iommu, span, why);
}

static int wait_until_unused(struct type1 *iommu, struct iova_span span,
			     enum type1_rule *why)
{
	int ret;

	lockdep_assert_held(&iommu->lock);

	for (;;) {
		ret = check_suspend(iommu, span, why);
		if (ret || !meets_used(iommu, span))
			return ret;

		*why = TYPE1_RULE_SIGNAL;
		ret = type1_wait_for_settling(iommu);
		if (ret)
			return ret;
	}
}

static int suspend_locked(struct type1 *iommu, struct iova_span span,
			  u64 *suspended, enum type1_rule *why)
{
	struct type1_mapping *mapping;
	int ret;

	lockdep_assert_held(&iommu->lock);

	ret = wait_until_unused(iommu, span, why);
	if (ret)
		return ret;

	/* All or nothing. */
	*why = TYPE1_RULE_SUSPENDED;
	for (mapping = type1_first_within(iommu, span); mapping;
	     mapping = type1_next_within(mapping, span))
		if (mapping->is_suspended)
			return -EINVAL;

	for (mapping = type1_first_within(iommu, span); mapping;
	     mapping = type1_next_within(mapping, span)) {
		mapping->is_suspended = true;
		iommu->nr_suspended++;
		*suspended += (u64)(mapping->span.last - mapping->span.first) + 1;
	}
	return 0;
}

static int suspend_span(struct type1 *iommu, struct iova_span span,
			u64 *suspended, enum type1_rule *why)
{
	guard(mutex)(&iommu->lock);

	return suspend_locked(iommu, span, suspended, why);
}

/**
 * type1_suspend() - Take the addresses of mappings away
 * @iommu: the address space
 * @iova: where the range begins
 * @size: its bytes
 * @suspended: bytes of the mappings in it; there may be holes, and none at all
 *
 * Context: Process context, may sleep. Takes and releases @iommu->lock, and
 * waits for those who fill a mapping within the range or copy from it.
 * Return: 0; with nothing changed -EINVAL for a range that is empty, not aligned,
 * wraps, or cuts a mapping, and where an address is taken away already; -EBUSY
 * with emulated groups; -EINTR when being killed.
 */
int type1_suspend(struct type1 *iommu, u64 iova, u64 size, u64 *suspended)
{
	struct iova_span span;
	enum type1_rule why;
	int ret;

	*suspended = 0;

	ret = iova_span_make(iova, size, type1_alignment(iommu), &span, &why);
	if (!ret)
		ret = suspend_span(iommu, span, suspended, &why);

	trace_vfio_suspend(iova, size, *suspended, ret,
			   ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_suspend_all() - Take the addresses of all mappings away
 * @iommu: the address space
 * @suspended: bytes of the mappings
 *
 * Context: As type1_suspend().
 * Return: As type1_suspend().
 */
int type1_suspend_all(struct type1 *iommu, u64 *suspended)
{
	const struct iova_span all = { .first = 0, .last = ULONG_MAX };
	enum type1_rule why;
	int ret;

	*suspended = 0;
	ret = suspend_span(iommu, all, suspended, &why);
	trace_vfio_suspend(0, 0, *suspended, ret, ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/*
 * Have the caller pay for a mapping. On success @payer is the one who paid before,
 * and gets @pages back.
 */
static int change_payer(struct type1_mapping *mapping,
			struct type1_payer **payer, unsigned long *pages,
			enum type1_rule *why)
{
	unsigned long charged;
	int ret;

	if (mapping->payer->mm == (*payer)->mm)
		return 0;

	charged = extent_log_counted(&mapping->log) +
		  type1_pins_charged(mapping);
	*why = TYPE1_RULE_MEMLOCK;
	ret = type1_charge(*payer, charged);
	if (ret)
		return ret;

	*pages = charged;
	swap(mapping->payer, *payer);
	return 0;
}

static int resume_locked(struct type1 *iommu, struct iova_span span,
			 unsigned long vaddr, struct type1_payer **payer,
			 unsigned long *pages, enum type1_rule *why)
{
	struct type1_mapping *mapping;
	int ret;

	lockdep_assert_held(&iommu->lock);

	*why = TYPE1_RULE_NOT_MAPPED;
	mapping = type1_mapping_find(iommu, span);
	if (!mapping)
		return -ENOENT;

	*why = TYPE1_RULE_BISECT;
	if (mapping->span.first != span.first || mapping->span.last != span.last)
		return -EINVAL;

	*why = TYPE1_RULE_NOT_SUSPENDED;
	if (!mapping->is_suspended)
		return -EINVAL;

	ret = change_payer(mapping, payer, pages, why);
	if (ret)
		return ret;

	mapping->vaddr = vaddr;
	mapping->is_suspended = false;
	iommu->nr_suspended--;
	return 0;
}

static int resume_span(struct type1 *iommu, struct iova_span span,
		       unsigned long vaddr, enum type1_rule *why)
{
	struct type1_payer *payer;
	unsigned long pages = 0;
	int ret;

	*why = TYPE1_RULE_KERNEL_ADDRESS;
	if (!access_ok((void __user *)vaddr, span.last - span.first + 1))
		return -EFAULT;

	*why = TYPE1_RULE_MEMORY;
	payer = type1_payer_make(capable(CAP_IPC_LOCK));
	if (!payer)
		return -ENOMEM;

	mutex_lock(&iommu->lock);
	ret = resume_locked(iommu, span, vaddr, &payer, &pages, why);
	mutex_unlock(&iommu->lock);

	type1_uncharge(payer, pages);
	type1_payer_put(payer);
	return ret;
}

/**
 * type1_resume() - Give a mapping a new address, in the calling process
 * @iommu: the address space
 * @iova: where the mapping begins
 * @vaddr: where the process has the same memory
 * @size: bytes of the mapping
 *
 * Whether it is the same memory nobody can tell; the caller hurts nobody but
 * itself.
 *
 * Context: Process context, may sleep. Takes and releases @iommu->lock.
 * Return: 0; -ENOENT where nothing is mapped; -EINVAL for what is empty, not
 * aligned, wraps, is not the whole of a mapping, or has its address; -EFAULT for
 * a kernel address; -ENOMEM at RLIMIT_MEMLOCK or for lack of memory; -EINTR when being killed.
 */
int type1_resume(struct type1 *iommu, u64 iova, u64 vaddr, u64 size)
{
	struct iova_span span;
	enum type1_rule why;
	int ret;

	ret = type1_check_spans(iommu, iova, vaddr, size, &span, &why);
	if (!ret)
		ret = resume_span(iommu, span, vaddr, &why);

	trace_vfio_resume(iova, vaddr, size, ret, ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_can_suspend() - Could addresses be taken away?
 * @iommu: the address space
 *
 * Context: Process context, takes and releases @iommu->lock.
 * Return: true when no emulated group is there.
 */
bool type1_can_suspend(struct type1 *iommu)
{
	guard(mutex)(&iommu->lock);

	return list_empty(&iommu->emulated_groups);
}
