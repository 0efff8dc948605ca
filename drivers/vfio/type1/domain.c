// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU domains and the groups in them: attach and detach.
 *
 * Attach works on a domain that nobody else sees. It is published, with its
 * group and the narrower ranges, when everything that was filled before has
 * been entered; from then on it takes part in all that goes on. Mappings that were
 * only remembered so far are filled afterwards, by type1_populate(): that pins user
 * memory, so no lock of anybody's can be held. If it fails the core detaches the
 * group.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "backend.h"
#include "trace.h"
#include "type1.h"

static struct type1_group *find_in_list(struct list_head *groups,
					struct iommu_group *group)
{
	struct type1_group *found;

	list_for_each_entry(found, groups, next)
		if (found->group == group)
			return found;
	return NULL;
}

/* A group behind an IOMMU, and where it is; or NULL. */
static struct type1_group *find_in_domains(struct type1 *iommu,
					   struct iommu_group *group,
					   struct type1_domain **where)
{
	struct type1_domain *domain;
	struct type1_group *found;

	lockdep_assert_held(&iommu->lock);

	list_for_each_entry(domain, &iommu->domains, next) {
		found = find_in_list(&domain->groups, group);
		if (found) {
			*where = domain;
			return found;
		}
	}
	return NULL;
}

/**
 * struct attach - A group on its way in
 * @iommu: the address space
 * @group: the group
 * @domain: the domain it is attached to: a new one that nobody sees yet, or one
 *	that it shares
 * @ranges: where mappings may lie with it
 * @is_shared: @domain was there before
 */
struct attach {
	struct type1 *iommu;
	struct type1_group *group;
	struct type1_domain *domain;
	struct iova_ranges ranges;
	bool is_shared;
};

/* Called with the group's mutex held, which keeps the device. */
static int alloc_for_device(struct device *dev, void *data)
{
	struct iommu_domain **domain = data;

	*domain = iommu_paging_domain_alloc(dev);
	return 1;	/* one device is enough */
}

static struct iommu_domain *alloc_paging_domain(struct iommu_group *group)
{
	struct iommu_domain *domain = ERR_PTR(-ENODEV);

	iommu_group_for_each_dev(group, &domain, alloc_for_device);
	return domain;
}

static void free_domain(struct type1_domain *domain)
{
	iommu_domain_free(domain->domain);
	kfree(domain);
}

static struct type1_domain *alloc_domain(struct type1 *iommu,
					 struct iommu_group *group)
{
	struct type1_domain *domain;
	int ret;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return ERR_PTR(-ENOMEM);

	INIT_LIST_HEAD(&domain->groups);
	domain->domain = alloc_paging_domain(group);
	if (IS_ERR(domain->domain)) {
		ret = PTR_ERR(domain->domain);
		goto out_free;
	}

	if (iommu->is_nesting) {
		ret = iommu_enable_nesting(domain->domain);
		if (ret)
			goto out_free_domain;
	}
	return domain;

out_free_domain:
	iommu_domain_free(domain->domain);
out_free:
	kfree(domain);
	return ERR_PTR(ret);
}

/* A device must not be able to raise the interrupts of others by DMA. */
static int check_isolation(struct iommu_group *group)
{
	if (iommu_group_has_isolated_msi(group))
		return 0;

	if (!type1_unsafe_interrupts_allowed()) {
		pr_warn_ratelimited("group %d: its interrupts are not isolated from those of other devices; the module parameter allow_unsafe_interrupts lets it be used all the same\n",
				    iommu_group_id(group));
		return -EPERM;
	}

	pr_warn_ratelimited("group %d: used although its interrupts are not isolated\n",
			    iommu_group_id(group));
	return 0;
}

static bool enforce_coherency(struct iommu_domain *domain)
{
	return domain->ops->enforce_cache_coherency &&
	       domain->ops->enforce_cache_coherency(domain);
}

static bool can_share(const struct type1_domain *a, const struct type1_domain *b)
{
	return a->domain->ops == b->domain->ops &&
	       a->domain->owner == b->domain->owner &&
	       a->enforces_coherency == b->enforces_coherency;
}

/*
 * Page tables cost memory and time, so a group joins others of its like. Only
 * the attempt shows whether its IOMMU takes their domain.
 */
static int share_domain(struct attach *attach)
{
	struct iommu_group *group = attach->group->group;
	struct type1_domain *domain, *own = attach->domain;

	lockdep_assert_held(&attach->iommu->lock);

	list_for_each_entry(domain, &attach->iommu->domains, next) {
		int ret;

		if (!can_share(domain, own))
			continue;

		iommu_detach_group(own->domain, group);
		if (!iommu_attach_group(domain->domain, group)) {
			free_domain(own);
			attach->domain = domain;
			attach->is_shared = true;
			return 0;
		}

		ret = iommu_attach_group(own->domain, group);
		if (ret) {
			free_domain(own);
			attach->domain = NULL;
			return ret;
		}
	}
	return 0;
}

/* Some IOMMUs translate MSI writes too, and need a window of IOVA for it. */
static int prepare_msi_window(struct attach *attach)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	int ret;

	ret = iommu_get_group_resv_regions(attach->group->group, &regions);
	if (!ret) {
		list_for_each_entry(region, &regions, list) {
			if (region->type != IOMMU_RESV_SW_MSI)
				continue;
			ret = iommu_get_msi_cookie(attach->domain->domain,
						   region->start);
			break;
		}
	}
	type1_regions_free(&regions);

	/* A domain that is shared has its window; some kernels need none. */
	return ret == -EEXIST || ret == -ENODEV ? 0 : ret;
}

static int narrow_ranges(struct attach *attach, enum type1_rule *why)
{
	int ret;

	*why = TYPE1_RULE_MEMORY;
	ret = type1_ranges_compute(attach->iommu, &attach->ranges);
	if (ret)
		return ret;

	ret = type1_ranges_narrow(&attach->ranges, attach->domain->domain,
				  attach->group->group);
	if (ret)
		goto out_destroy;

	*why = TYPE1_RULE_CONFLICT;
	ret = -EINVAL;
	if (!type1_ranges_hold_all(attach->iommu, &attach->ranges))
		goto out_destroy;
	return 0;

out_destroy:
	iova_ranges_destroy(&attach->ranges);
	return ret;
}

/* Give the group a domain of its own or one that it shares. */
static int enter_domain(struct attach *attach, enum type1_rule *why)
{
	struct iommu_group *group = attach->group->group;
	struct type1_domain *domain;
	int ret;

	*why = TYPE1_RULE_ISOLATION;
	ret = check_isolation(group);
	if (ret)
		return ret;

	*why = TYPE1_RULE_IOMMU;
	domain = alloc_domain(attach->iommu, group);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	ret = iommu_attach_group(domain->domain, group);
	if (ret) {
		free_domain(domain);
		return ret;
	}

	/* Known only once the devices are in it, and to be set before mapping. */
	domain->enforces_coherency = enforce_coherency(domain->domain);
	attach->domain = domain;
	return share_domain(attach);
}

static void leave_domain(struct attach *attach)
{
	iommu_detach_group(attach->domain->domain, attach->group->group);
	if (!attach->is_shared)
		free_domain(attach->domain);
}

/* Enter all that the other domains have. */
static int replay_mappings(struct attach *attach, enum type1_rule *why)
{
	struct type1 *iommu = attach->iommu;
	struct type1_mapping *mapping;
	int ret;

	lockdep_assert_held(&iommu->lock);

	if (attach->is_shared || list_empty(&iommu->domains))
		return 0;

	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping)) {
		ret = type1_replay(iommu, mapping, attach->domain->domain, why);
		if (ret)
			return ret;
	}
	return 0;
}

static void publish(struct attach *attach)
{
	struct type1 *iommu = attach->iommu;

	lockdep_assert_held(&iommu->lock);

	list_add_tail(&attach->group->next, &attach->domain->groups);
	type1_dirty_scope_add(iommu);
	if (!attach->is_shared)
		list_add_tail(&attach->domain->next, &iommu->domains);
	type1_ranges_replace(iommu, &attach->ranges);
	type1_update_pgsizes(iommu);
}

/* The last domain is about to go: nothing stays pinned. */
static void empty_mappings(struct type1 *iommu, struct iommu_domain *domain,
			   struct type1_refund *refund)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&iommu->lock);

	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping)) {
		/* What drivers hold is to be paid for by itself from now on. */
		type1_pins_charge(mapping);
		type1_empty(iommu, mapping, domain, refund);
	}
}

/*
 * Take a group out of its domain, and that away with its last one. Nothing is
 * unmapped: no device reaches a domain that has no groups, and freeing it
 * frees its page tables as a whole. They are read before, where a log is opaque.
 */
static void withdraw(struct type1 *iommu, struct type1_domain *domain,
		     struct type1_group *group, struct type1_refund *refund)
{
	struct iova_ranges ranges;

	lockdep_assert_held(&iommu->lock);

	iommu_detach_group(domain->domain, group->group);
	list_del(&group->next);
	if (!group->pins_only)
		type1_dirty_scope_remove(iommu);
	kfree(group);

	if (list_empty(&domain->groups)) {
		list_del(&domain->next);
		if (list_empty(&iommu->domains)) {
			iommu_flush_iotlb_all(domain->domain);
			empty_mappings(iommu, domain->domain, refund);
		}
		free_domain(domain);
	}

	type1_update_pgsizes(iommu);
	/* For lack of memory the ranges may stay narrower than they need be. */
	if (!type1_ranges_compute(iommu, &ranges))
		type1_ranges_replace(iommu, &ranges);
}

static int attach_to_domain(struct type1 *iommu, struct type1_group *group,
			    enum type1_rule *why)
{
	struct attach attach = { .iommu = iommu, .group = group };
	int ret;

	lockdep_assert_held(&iommu->lock);

	ret = enter_domain(&attach, why);
	if (ret)
		goto out_free_group;

	ret = prepare_msi_window(&attach);
	if (ret)
		goto out_leave;

	ret = narrow_ranges(&attach, why);
	if (ret)
		goto out_leave;

	ret = replay_mappings(&attach, why);
	if (ret)
		goto out_ranges;

	publish(&attach);
	return 0;

out_ranges:
	iova_ranges_destroy(&attach.ranges);
out_leave:
	leave_domain(&attach);
out_free_group:
	kfree(group);
	return ret;
}

static int attach_locked(struct type1 *iommu, struct iommu_group *iommu_group,
			 enum vfio_group_type type, enum type1_rule *why)
{
	struct type1_domain *domain;
	struct type1_group *group;

	lockdep_assert_held(&iommu->lock);

	*why = TYPE1_RULE_DUPLICATE;
	if (find_in_list(&iommu->emulated_groups, iommu_group) ||
	    find_in_domains(iommu, iommu_group, &domain))
		return -EINVAL;

	/* What is mapped could not be filled, nor pinned by its driver. */
	*why = TYPE1_RULE_SUSPENDED;
	if (iommu->nr_suspended)
		return -EBUSY;

	*why = TYPE1_RULE_MEMORY;
	group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return -ENOMEM;
	group->group = iommu_group;

	if (type != VFIO_EMULATED_IOMMU)
		return attach_to_domain(iommu, group, why);

	group->pins_only = true;
	list_add_tail(&group->next, &iommu->emulated_groups);
	return 0;
}

/**
 * type1_attach_group() - Let a group's devices reach the mappings
 * @iommu_data: the address space
 * @group: the group
 * @type: who fences its DMA
 *
 * Context: Process context, may sleep. The container sees to it that nobody else
 * attaches or detaches meanwhile, and calls type1_populate() afterwards. Takes
 * and releases &type1.lock.
 * Return: 0; -EINVAL where the group is there already or a mapping lies outside
 * what it can have; -EBUSY while the address of a mapping is taken away; -EPERM
 * where its interrupts are not isolated; -ENOMEM; -EINTR when being killed; or
 * what the IOMMU driver gave.
 */
int type1_attach_group(void *iommu_data, struct iommu_group *group,
		       enum vfio_group_type type)
{
	struct type1 *iommu = iommu_data;
	enum type1_rule why;
	int ret;

	mutex_lock(&iommu->lock);
	ret = attach_locked(iommu, group, type, &why);
	mutex_unlock(&iommu->lock);

	trace_vfio_attach(iommu_group_id(group), type, ret,
			  ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/* Fill a mapping; the lock is dropped meanwhile. */
static int populate_mapping(struct type1 *iommu, struct type1_mapping *mapping,
			    enum type1_rule *why)
{
	/* Pages that drivers hold are paid for, and not to be paid for twice. */
	const unsigned long credit = type1_pins_take_charge(mapping);
	int ret;

	lockdep_assert_held(&iommu->lock);

	mapping->is_busy = true;
	mutex_unlock(&iommu->lock);
	ret = type1_fill(iommu, mapping, credit, why);
	mutex_lock(&iommu->lock);
	if (ret)
		type1_settle(iommu, mapping);
	return ret;
}

static int populate_mappings(struct type1 *iommu, enum type1_rule *why)
{
	struct iova_span rest = { .first = 0, .last = ULONG_MAX };
	struct type1_mapping *mapping;
	int ret;

	lockdep_assert_held(&iommu->lock);

	while ((mapping = type1_mapping_find(iommu, rest))) {
		const unsigned long last = mapping->span.last;

		/* Others fill it or are about to remove it: see how that ends. */
		if (mapping->is_busy) {
			*why = TYPE1_RULE_SIGNAL;
			ret = type1_wait_for_settling(iommu);
			if (ret)
				return ret;
			continue;
		}

		if (list_empty(&iommu->domains))
			break;
		if (!type1_is_complete(mapping)) {
			*why = TYPE1_RULE_SUSPENDED;
			if (mapping->is_suspended)
				return -EBUSY;
			ret = populate_mapping(iommu, mapping, why);
			if (ret)
				return ret;
		}

		if (last == ULONG_MAX)
			break;
		rest.first = last + 1;
	}
	return 0;
}

/**
 * type1_populate() - Fill the mappings that were only remembered
 * @iommu_data: the address space, to which a group was attached
 *
 * Nothing is done where no group has a domain.
 *
 * Context: Process context, may sleep and fault user memory; no lock held. Takes
 * and releases &type1.lock, and waits for those who fill or unmap a mapping.
 * Return: 0, -EINTR when being killed, -EBUSY where a mapping's address was taken
 * away meanwhile, or what type1_fill() gave for a mapping. Then
 * some may be filled in part, and the group is to be detached.
 */
int type1_populate(void *iommu_data)
{
	struct type1 *iommu = iommu_data;
	enum type1_rule why = TYPE1_RULE_NONE;
	int ret;

	mutex_lock(&iommu->lock);
	ret = populate_mappings(iommu, &why);
	mutex_unlock(&iommu->lock);

	trace_vfio_populate(ret, ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_detach_group() - Undo type1_attach_group()
 * @iommu_data: the address space
 * @group: the group
 *
 * Where it takes the last domain along, mappings are unpinned, but remembered.
 *
 * Context: Process context, may sleep. As type1_attach_group(), but signals do
 * not stop it and it waits for no one who fills a mapping.
 */
void type1_detach_group(void *iommu_data, struct iommu_group *group)
{
	struct type1 *iommu = iommu_data;
	struct type1_refund refund = {};
	struct type1_domain *domain;
	struct type1_group *found;

	mutex_lock(&iommu->lock);
	found = find_in_list(&iommu->emulated_groups, group);
	if (found) {
		list_del(&found->next);
		kfree(found);
	} else {
		found = find_in_domains(iommu, group, &domain);
		if (!WARN_ON_ONCE(!found))
			withdraw(iommu, domain, found, &refund);
	}
	mutex_unlock(&iommu->lock);

	type1_refund_flush(&refund);
	trace_vfio_detach(iommu_group_id(group));
}

/**
 * type1_note_pinning() - A group's driver pinned pages for its device
 * @iommu: the address space
 * @group: the group, behind an IOMMU or emulated
 *
 * Thereby it tells that its devices reach nothing else.
 *
 * Context: Process context, @iommu->lock held.
 */
void type1_note_pinning(struct type1 *iommu, struct iommu_group *group)
{
	struct type1_domain *domain;
	struct type1_group *found;

	lockdep_assert_held(&iommu->lock);

	if (!iommu->wide_groups)
		return;

	found = find_in_domains(iommu, group, &domain);
	if (found && !found->pins_only) {
		found->pins_only = true;
		type1_dirty_scope_remove(iommu);
	}
}

/**
 * type1_group_domain() - Which domain is a group in?
 * @iommu_data: the address space
 * @group: the group
 *
 * Context: Process context, takes and releases &type1.lock.
 * Return: the domain, while the group is attached; or ERR_PTR() of -ENODEV.
 */
struct iommu_domain *type1_group_domain(void *iommu_data,
					struct iommu_group *group)
{
	struct type1 *iommu = iommu_data;
	struct type1_domain *domain;

	guard(mutex)(&iommu->lock);
	if (!find_in_domains(iommu, group, &domain))
		return ERR_PTR(-ENODEV);
	return domain->domain;
}

/**
 * type1_is_coherent() - Can no device bypass the CPU's caches?
 * @iommu: the address space
 *
 * Context: Process context, takes and releases &type1.lock.
 * Return: true when every domain sees to it, or there is none.
 */
bool type1_is_coherent(struct type1 *iommu)
{
	struct type1_domain *domain;

	guard(mutex)(&iommu->lock);
	list_for_each_entry(domain, &iommu->domains, next)
		if (!domain->enforces_coherency)
			return false;
	return true;
}
