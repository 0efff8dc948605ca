// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that drivers pin by themselves, for devices that have no IOMMU or that
 * tell what they use, and telling them when memory goes.
 *
 * Pinning faults user memory, so it is done with no lock held, between two looks
 * at the mapping: it is found, the lock is dropped, pages are pinned and charged, and
 * the mapping is looked up again. Where it is gone or going meanwhile, the pages
 * are let go. Its birth tells it from another one at the same place.
 *
 * Pages of a mapping that is going are asked back: every device that pins is told
 * with no lock held that its unpinning needs. It must have unpinned when its
 * ->dma_unmap returns.
 *
 * Charges. Where there is a domain, the mapping itself is charged or about to be,
 * and a driver's pin costs nothing more. Where there is none, each page in the table
 * is charged once. type1_pins_charge() and type1_fill() change from the one to
 * the other.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/vfio.h>

#include "trace.h"
#include "type1.h"

/* Pages to unpin in one go. */
#define UNPIN_BATCH	32U

/**
 * type1_register_device() - A device wants to be told of unmaps
 * @iommu_data: the address space
 * @device: the device; it has ->dma_unmap
 *
 * Context: Process context. Takes and releases &type1.users_lock. Pairs with
 * type1_unregister_device().
 */
void type1_register_device(void *iommu_data, struct vfio_device *device)
{
	struct type1 *iommu = iommu_data;

	guard(mutex)(&iommu->users_lock);
	list_add_tail(&device->iommu_entry, &iommu->users);
}

/**
 * type1_unregister_device() - A device is not told any more
 * @iommu_data: the address space
 * @device: the device
 *
 * Context: Process context. Takes and releases &type1.users_lock, and thereby
 * waits for calls of ->dma_unmap that are under way.
 */
void type1_unregister_device(void *iommu_data, struct vfio_device *device)
{
	struct type1 *iommu = iommu_data;

	guard(mutex)(&iommu->users_lock);
	list_del_init(&device->iommu_entry);
}

/**
 * type1_tell_devices() - Addresses go away: ask for the pages behind them
 * @iommu: the address space
 * @span: a mapping that is busy
 *
 * Context: Process context, may sleep. Takes and releases &type1.users_lock; the
 * drivers come back for &type1.lock.
 */
void type1_tell_devices(struct type1 *iommu, struct iova_span span)
{
	struct vfio_device *device;

	lockdep_assert_not_held(&iommu->lock);

	guard(mutex)(&iommu->users_lock);
	list_for_each_entry(device, &iommu->users, iommu_entry)
		device->ops->dma_unmap(device, span.first,
				       span.last - span.first + 1);
}

/**
 * type1_pins_charge() - From now on the pins of a mapping are charged
 * @mapping: a mapping that no domain has any more
 *
 * Context: Process context, &type1.lock held, may sleep.
 */
void type1_pins_charge(struct type1_mapping *mapping)
{
	struct type1_usage *usage = mapping->usage;

	if (!usage)
		return;

	type1_charge_anyway(mapping->payer,
			    usage->pins.npages - usage->pins_charged);
	usage->pins_charged = usage->pins.npages;
}

/**
 * type1_pins_take_charge() - From now on the pins of a mapping are not charged
 * @mapping: the mapping
 *
 * Context: Process context, &type1.lock held.
 * Return: how many pages were; now the caller is to account for them.
 */
unsigned long type1_pins_take_charge(struct type1_mapping *mapping)
{
	const unsigned long pages = type1_pins_charged(mapping);

	if (pages)
		mapping->usage->pins_charged = 0;
	return pages;
}

/**
 * type1_pins_abandon() - A mapping goes although drivers did not unpin it
 * @mapping: the mapping; all devices are closed
 * @refund: where to note the charge
 *
 * A driver that forgot to unpin may not have stopped to write either. So the
 * pages stay pinned for good.
 *
 * Context: Process context, may sleep.
 */
void type1_pins_abandon(struct type1_mapping *mapping,
			struct type1_refund *refund)
{
	if (!mapping->usage)
		return;

	if (type1_pins(mapping))
		pr_warn_ratelimited("a driver left %lu pages pinned at %#lx..%#lx when its devices were closed\n",
				    type1_pins(mapping), mapping->span.first,
				    mapping->span.last);

	type1_refund_add(refund, mapping->payer,
			 type1_pins_take_charge(mapping));
	pin_table_destroy(&mapping->usage->pins);
}

/**
 * struct device_pin - A driver's request to pin pages
 * @iommu: the address space
 * @group: the device's group
 * @iova: address of the page that comes next
 * @left: pages from there on
 * @prot: what the driver means to do
 * @pages: where their pages go
 * @why: the rule that refused
 */
struct device_pin {
	struct type1 *iommu;
	struct iommu_group *group;
	unsigned long iova;
	unsigned int left;
	int prot;
	struct page **pages;
	enum type1_rule why;
};

/**
 * struct fresh_pins - Pages of one mapping that nobody holds yet
 * @mapping: the mapping; to be looked up again before it is used
 * @birth: its birth
 * @payer: who pays
 * @index: first page
 * @vaddr: its address
 * @is_write: devices may write the mapping
 * @is_charging: there was no domain, so they are to be charged
 * @npages: how many; then, how many were pinned
 * @charged: how many of them are charged
 */
struct fresh_pins {
	struct type1_mapping *mapping;
	u64 birth;
	struct type1_payer *payer;
	unsigned long index;
	unsigned long vaddr;
	bool is_write;
	bool is_charging;
	unsigned int npages;
	unsigned int charged;
};

static struct type1_mapping *mapping_at(struct type1 *iommu, unsigned long iova)
{
	return type1_mapping_find(iommu, (struct iova_span){ iova, iova });
}

static int refuse(struct device_pin *pin, enum type1_rule why, int ret)
{
	pin->why = why;
	return ret;
}

/* The rules for pages at an address. */
static int check_pin(struct device_pin *pin, struct type1_mapping **mapping)
{
	lockdep_assert_held(&pin->iommu->lock);

	*mapping = mapping_at(pin->iommu, pin->iova);

	if (!*mapping || !(*mapping)->is_open)
		return refuse(pin, TYPE1_RULE_NOT_MAPPED, -EINVAL);
	if (pin->iommu->nr_suspended)
		return refuse(pin, TYPE1_RULE_SUSPENDED, -EBUSY);
	if (pin->prot & ~(*mapping)->prot)
		return refuse(pin, TYPE1_RULE_PROT, -EPERM);
	return 0;
}

static unsigned long index_at(const struct type1_mapping *mapping,
			      unsigned long iova)
{
	return (iova - mapping->span.first) >> PAGE_SHIFT;
}

static void took(struct device_pin *pin, unsigned int npages)
{
	pin->iova += (unsigned long)npages << PAGE_SHIFT;
	pin->pages += npages;
	pin->left -= npages;
}

/* Join pins that are there, from the next page on, as far as they go. */
static int join_pins(struct device_pin *pin, struct type1_mapping *mapping)
{
	unsigned long index = index_at(mapping, pin->iova), pfn;
	unsigned long room = type1_mapping_pages(mapping) - index;
	unsigned int n, most = min_t(unsigned long, pin->left, room);
	struct pin_walk walk;
	int ret = 0;

	if (!type1_pins(mapping))
		return 0;

	pin_walk_init(&walk, &mapping->usage->pins);
	for (n = 0; n < most; n++) {
		ret = pin_walk_get(&walk, index + n, &pfn);
		if (ret)
			break;
		pin->pages[n] = pfn_to_page(pfn);
	}
	took(pin, n);

	pin->why = TYPE1_RULE_COUNT;
	return ret == -ENOENT ? 0 : ret;
}

/* What follows that nobody holds, as far as it goes in the mapping, which has usage. */
static void find_fresh(struct device_pin *pin, struct type1_mapping *mapping,
		       struct fresh_pins *fresh)
{
	unsigned long index = index_at(mapping, pin->iova);
	unsigned long room = type1_mapping_pages(mapping) - index;
	unsigned int most = min_t(unsigned long, pin->left, room);
	struct pin_walk walk;

	*fresh = (struct fresh_pins){
		.mapping = mapping,
		.birth = mapping->usage->birth,
		.index = index,
		.vaddr = mapping->vaddr + (index << PAGE_SHIFT),
		.is_write = mapping->prot & IOMMU_WRITE,
		.is_charging = list_empty(&pin->iommu->domains),
		.npages = 1,
	};

	if (!type1_pins(mapping))
		fresh->npages = most;
	pin_walk_init(&walk, &mapping->usage->pins);
	while (fresh->npages < most &&
	       !pin_walk_has(&walk, index + fresh->npages))
		fresh->npages++;
	fresh->payer = type1_payer_get(mapping->payer);
}

/*
 * First look: take what others hold, find what comes after that in the same
 * mapping. Without anything to pin, @fresh has no pages.
 */
static int look_up(struct device_pin *pin, struct fresh_pins *fresh)
{
	const unsigned int before = pin->left;
	struct type1_mapping *mapping;
	int ret;

	guard(mutex)(&pin->iommu->lock);

	fresh->npages = 0;
	ret = check_pin(pin, &mapping);
	if (!ret)
		ret = join_pins(pin, mapping);
	if (pin->left != before)
		type1_note_pinning(pin->iommu, pin->group);
	if (ret || pin->left != before)
		return ret;

	if (type1_usage_make(pin->iommu, mapping))
		return refuse(pin, TYPE1_RULE_MEMORY, -ENOMEM);

	find_fresh(pin, mapping, fresh);
	return 0;
}

/* Pinning does not tell why it failed. */
static bool is_device_memory(struct mm_struct *mm, unsigned long vaddr)
{
	struct vm_area_struct *vma;
	bool is_device;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, untagged_addr_remote(mm, vaddr));
	is_device = vma && vma->vm_flags & (VM_PFNMAP | VM_IO);
	mmap_read_unlock(mm);
	return is_device;
}

static int pin_fresh(struct device_pin *pin, struct fresh_pins *fresh)
{
	struct mm_struct *mm = fresh->payer->mm;
	long ret;

	pin->why = TYPE1_RULE_OWNER_GONE;
	if (mm != current->mm && !mmget_not_zero(mm))
		return -EFAULT;

	pin->why = TYPE1_RULE_USER_MEMORY;
	ret = type1_pin_pages(mm, fresh->vaddr, fresh->npages, fresh->is_write,
			      pin->pages);
	if (ret == -EFAULT && is_device_memory(mm, fresh->vaddr)) {
		/* It has no struct page that could be given out. */
		pin->why = TYPE1_RULE_NO_PAGE;
		ret = -EINVAL;
	}
	if (mm != current->mm)
		mmput_async(mm);
	if (ret <= 0)
		return ret ?: -EFAULT;

	fresh->npages = ret;
	return 0;
}

static int charge_fresh(struct device_pin *pin, struct fresh_pins *fresh)
{
	int ret;

	pin->why = TYPE1_RULE_MEMLOCK;
	ret = type1_charge(fresh->payer, fresh->npages);
	if (!ret)
		fresh->charged = fresh->npages;
	return ret;
}

/*
 * Put pinned pages into the table; others may have been quicker with some. On
 * failure the first @done pages are in, and counted there.
 */
static int enter_pins(struct device_pin *pin, struct fresh_pins *fresh,
		      unsigned int *done)
{
	struct type1_mapping *mapping = fresh->mapping;
	struct type1_usage *usage = mapping->usage;
	const bool is_charged = fresh->charged;
	unsigned long index, pfn;
	struct pin_walk walk;
	unsigned int i;
	int ret;

	pin_walk_init(&walk, &usage->pins);
	for (i = 0; i < fresh->npages; i++, *done = i) {
		index = fresh->index + i;

		ret = pin_walk_get(&walk, index, &pfn);
		if (!ret) {
			unpin_user_page(pin->pages[i]);
			pin->pages[i] = pfn_to_page(pfn);
			continue;
		}
		if (ret != -ENOENT)
			return refuse(pin, TYPE1_RULE_COUNT, ret);

		ret = pin_walk_add(&walk, index, page_to_pfn(pin->pages[i]));
		if (ret)
			return refuse(pin, TYPE1_RULE_MEMORY, ret);
		if (usage->dirty)
			__set_bit(index, usage->dirty);
		if (is_charged) {
			usage->pins_charged++;
			fresh->charged--;
		}
	}
	return 0;
}

/*
 * Second look: is the mapping still there, and in need of the charge we have?
 * Gives -EAGAIN where it is not charged and should be.
 */
static int publish(struct device_pin *pin, struct fresh_pins *fresh,
		   unsigned int *done)
{
	struct type1 *iommu = pin->iommu;
	struct type1_mapping *mapping;
	int ret;

	lockdep_assert_held(&iommu->lock);

	ret = check_pin(pin, &mapping);
	if (ret)
		return ret;

	if (!mapping->usage || mapping->usage->birth != fresh->birth)
		return refuse(pin, TYPE1_RULE_NOT_MAPPED, -EINVAL);

	if (list_empty(&iommu->domains)) {
		if (!fresh->charged)
			return -EAGAIN;
	} else {
		/* The mapping is charged as a whole, or is about to be. */
		type1_uncharge(fresh->payer, fresh->charged);
		fresh->charged = 0;
	}
	type1_note_pinning(iommu, pin->group);
	return enter_pins(pin, fresh, done);
}

/* Pin what was found in the first look; @done pages are in the table then. */
static int pin_and_publish(struct device_pin *pin, struct fresh_pins *fresh,
			   unsigned int *done)
{
	struct type1 *iommu = pin->iommu;
	int ret;

	ret = pin_fresh(pin, fresh);
	if (ret)
		return ret;

	/* Mostly it is still so; publish() looks again. */
	if (fresh->is_charging)
		ret = charge_fresh(pin, fresh);
	while (!ret) {
		mutex_lock(&iommu->lock);
		ret = publish(pin, fresh, done);
		mutex_unlock(&iommu->lock);
		if (ret != -EAGAIN)
			break;
		ret = charge_fresh(pin, fresh);
	}

	if (*done < fresh->npages)
		unpin_user_pages(pin->pages + *done, fresh->npages - *done);
	type1_uncharge(fresh->payer, fresh->charged);
	return ret;
}

/* Pin some of what is left. */
static int pin_some(struct device_pin *pin)
{
	struct fresh_pins fresh;
	unsigned int done = 0;
	int ret;

	ret = look_up(pin, &fresh);
	if (ret || !fresh.npages)
		return ret;

	ret = pin_and_publish(pin, &fresh, &done);
	type1_payer_put(fresh.payer);
	took(pin, done);
	return ret;
}

/**
 * struct unpin_batch - Pages that nobody holds any more
 * @pages: the pages
 * @nr: how many
 * @is_dirty: devices may have written them
 * @refund: what their payers get back
 */
struct unpin_batch {
	struct page *pages[UNPIN_BATCH];
	unsigned int nr;
	bool is_dirty;
	struct type1_refund refund;
};

/* Give back what one mapping has of a span. True when it had all of it. */
static bool put_pins(struct type1 *iommu, struct type1_mapping *mapping,
		     unsigned long iova, unsigned int npages,
		     struct unpin_batch *batch)
{
	unsigned long index = index_at(mapping, iova), pfn;
	bool is_charged = list_empty(&iommu->domains);
	struct type1_usage *usage = mapping->usage;
	unsigned long refund = 0;
	struct pin_walk walk;
	bool had_all = true;
	unsigned int i;

	lockdep_assert_held(&iommu->lock);

	if (!usage)
		return false;

	batch->is_dirty = mapping->prot & IOMMU_WRITE;
	pin_walk_init(&walk, &usage->pins);
	for (i = 0; i < npages; i++) {
		switch (pin_walk_put(&walk, index + i, &pfn)) {
		case PIN_NOT_THERE:
			had_all = false;
			break;
		case PIN_HELD:
			break;
		case PIN_LAST:
			batch->pages[batch->nr++] = pfn_to_page(pfn);
			break;
		}
	}

	if (is_charged) {
		refund = batch->nr;
		usage->pins_charged -= refund;
	} else if (usage->pins_charged > usage->pins.npages) {
		/* A domain came that has not filled the mapping yet. */
		refund = usage->pins_charged - usage->pins.npages;
		usage->pins_charged = usage->pins.npages;
	}
	type1_refund_add(&batch->refund, mapping->payer, refund);

	if (!mapping->is_open && !usage->pins.npages)
		type1_wake(iommu);
	return had_all;
}

/* Unpin up to a batch, out of one mapping. Gives how many pages were seen to. */
static unsigned int unpin_some(struct type1 *iommu, unsigned long iova,
			       unsigned int npages, bool *had_all)
{
	struct unpin_batch batch = {};
	struct type1_mapping *mapping;
	unsigned int n = 1;

	mutex_lock(&iommu->lock);
	mapping = mapping_at(iommu, iova);
	if (mapping) {
		n = min_t(unsigned long, min(npages, UNPIN_BATCH),
			  type1_mapping_pages(mapping) - index_at(mapping, iova));
		*had_all &= put_pins(iommu, mapping, iova, n, &batch);
	} else {
		*had_all = false;
	}
	mutex_unlock(&iommu->lock);

	if (batch.nr)
		unpin_user_pages_dirty_lock(batch.pages, batch.nr,
					    batch.is_dirty);
	type1_refund_flush(&batch.refund);
	return n;
}

static bool unpin_all(struct type1 *iommu, unsigned long iova,
		      unsigned int npages)
{
	bool had_all = true;

	for (;;) {
		unsigned int n = unpin_some(iommu, iova, npages, &had_all);

		npages -= n;
		if (!npages)
			return had_all;
		iova += (unsigned long)n << PAGE_SHIFT;
		cond_resched();
	}
}

static int pin_all(struct device_pin *pin)
{
	const unsigned long first = pin->iova;
	int ret = 0;

	while (pin->left && !ret)
		ret = pin_some(pin);

	if (ret && pin->iova != first)
		unpin_all(pin->iommu, first, (pin->iova - first) >> PAGE_SHIFT);
	return ret;
}

/**
 * type1_device_pin() - Pin pages for a device
 * @iommu_data: the address space
 * @group: the device's group
 * @iova: address of the first page; what it has below a page is ignored
 * @npage: how many pages, at most VFIO_PIN_PAGES_MAX_ENTRIES
 * @prot: IOMMU_READ and IOMMU_WRITE, as the driver means to use them
 * @pages: filled
 *
 * All are pinned or none.
 *
 * Context: Process context, may sleep and fault user memory; not under a lock
 * that a page fault needs. Takes and releases &type1.lock.
 * Return: @npage; -EACCES in a version 1 address space; -EINVAL where an address
 * is not mapped, or goes, or is a device's memory; -EPERM where the mapping does
 * not allow @prot; -EBUSY while addresses are taken away; -EFAULT for memory that
 * is not there any more; -ENOMEM at RLIMIT_MEMLOCK or for lack of memory;
 * -EOVERFLOW for a page that is pinned more often than can be counted; -EINTR when
 * being killed.
 */
int type1_device_pin(void *iommu_data, struct iommu_group *group,
		     dma_addr_t iova, int npage, int prot, struct page **pages)
{
	const u64 size = (u64)npage << PAGE_SHIFT;
	struct iova_span span;
	struct device_pin pin = {
		.iommu = iommu_data,
		.group = group,
		.left = npage,
		.prot = prot,
		.pages = pages,
		.why = TYPE1_RULE_VERSION,
	};
	int ret = -EACCES;

	if (pin.iommu->is_v2)
		ret = iova_span_make(iova & PAGE_MASK, size, PAGE_SIZE, &span,
				     &pin.why);
	if (!ret) {
		pin.iova = span.first;
		ret = pin_all(&pin);
	}

	trace_vfio_pin(iova, npage, prot, ret, ret ? pin.why : TYPE1_RULE_NONE);
	return ret ?: npage;
}

/**
 * type1_device_unpin() - Undo type1_device_pin()
 * @iommu_data: the address space
 * @iova: address of the first page
 * @npage: how many pages
 *
 * Context: Process context, may sleep, also in ->dma_unmap. Takes and releases
 * &type1.lock.
 */
void type1_device_unpin(void *iommu_data, dma_addr_t iova, int npage)
{
	struct type1 *iommu = iommu_data;
	struct iova_span span;
	enum type1_rule why;

	if (iova_span_make(iova & PAGE_MASK, (u64)npage << PAGE_SHIFT,
			   PAGE_SIZE, &span, &why) ||
	    !unpin_all(iommu, span.first, npage))
		pr_warn_ratelimited("a driver unpins at %pad what it did not pin\n",
				    &iova);

	trace_vfio_unpin(iova, npage);
}
