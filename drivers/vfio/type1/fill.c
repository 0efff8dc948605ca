// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filling a mapping: pin its memory, charge for it, enter it in all domains.
 *
 * It goes round by round. Outside the lock: pin a batch, charge for it.
 * Under the lock: look whether the world is still the one that we knew, then
 * enter runs in all domains and log them. A run that may go on in the next
 * batch stays *open*, ours alone, so that an IOMMU leaf as large as the memory
 * allows can be made of it; only at a stretch's bound is it entered in any
 * case. Scattered memory makes very many runs: those that are complete stay in a
 * *queue*, ours alone as well, until there are enough of them to be entered at
 * once.
 *
 * Charges. Only what was pinned is charged, never what merely might be, except
 * that a mapping which goes on for long is charged a grant ahead, to take the
 * process's mmap_lock for writing once a grant and not once a batch. Where the
 * limit does not allow a grant, the batch alone is charged: the limit is exact to
 * the page. What is left of a grant is given back at the end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "type1.h"

/* Runs that a queue has room for: a page of them. */
#define QUEUE_RUNS	(PAGE_SIZE / sizeof(struct scatterlist))

/* Pages to charge ahead. */
#define GRANT_PAGES	(SZ_256M >> PAGE_SHIFT)

/**
 * struct fill - A mapping being filled
 * @iommu: its address space
 * @mapping: the mapping, busy on our behalf
 * @payer: who pays for it; outlives the mapping, which is another thread's to
 *	unmap once it is settled
 * @pinner: the walk over its memory
 * @writer: of the mapping's log, from the first look at it on
 * @queue: pinned runs of pages that are in no domain yet; memory for them is there
 *	once there was one
 * @nr_queued: how many
 * @queued: their pages
 * @open: pinned run that is in no domain yet, behind those
 * @done: pages that we entered and logged
 * @credit: pages charged but not yet accounted to the log
 * @is_over: there is nothing left to do
 * @is_stuck: a domain would not give pages up, so they stay pinned for good
 */
struct fill {
	struct type1 *iommu;
	struct type1_mapping *mapping;
	struct type1_payer *payer;
	struct type1_pinner pinner;
	struct extent_writer writer;
	struct scatterlist *queue;
	unsigned int nr_queued;
	unsigned long queued;
	struct type1_run open;
	unsigned long done;
	unsigned long credit;
	bool is_over;
	bool is_stuck;
};

/* Pages from @index to the next bound of a stretch. */
static unsigned long stretch_room(const struct type1_mapping *mapping,
				  unsigned long index)
{
	unsigned long iova = type1_page_iova(mapping, index);

	return (TYPE1_STRETCH_BYTES - (iova & (TYPE1_STRETCH_BYTES - 1))) >>
	       PAGE_SHIFT;
}

/* Let go of what is in no domain. */
static void drop_pending(struct fill *fill)
{
	unsigned int i;

	for (i = 0; i < fill->nr_queued && !fill->is_stuck; i++) {
		const struct type1_run run = type1_listed_run(&fill->queue[i]);

		type1_unpin_run(&run, false);
	}
	fill->nr_queued = 0;
	fill->queued = 0;

	if (fill->open.npages && !fill->is_stuck)
		type1_unpin_run(&fill->open, false);
	fill->open.npages = 0;
}

static int add_credit(struct fill *fill, unsigned long pages)
{
	int ret = type1_charge(fill->payer, pages);

	if (!ret)
		fill->credit += pages;
	return ret;
}

/* Pay for the batch that was just pinned. */
static int charge_batch(struct fill *fill, enum type1_rule *why)
{
	unsigned long pinned = type1_pinner_counted(&fill->pinner) +
			       fill->queued;
	unsigned long missing, ahead;
	int ret;

	if (extent_is_counted(fill->open.kind))
		pinned += fill->open.npages;
	if (fill->credit >= pinned)
		return 0;

	missing = pinned - fill->credit;
	ahead = min(fill->pinner.left, GRANT_PAGES);
	ret = add_credit(fill, missing + ahead);
	if (ret == -ENOMEM && ahead)
		ret = add_credit(fill, missing);
	if (!ret)
		return 0;

	*why = TYPE1_RULE_SIGNAL;
	if (ret == -ENOMEM) {
		struct task_struct *task = fill->payer->task;

		*why = TYPE1_RULE_MEMLOCK;
		pr_warn_ratelimited("%s[%d]: mapping for DMA exceeds RLIMIT_MEMLOCK (%lu)\n",
				    task->comm, task_tgid_nr(task),
				    task_rlimit(task, RLIMIT_MEMLOCK));
	}
	return ret;
}

/* Enter a run, or the queue where there is none. */
static int map_everywhere(struct fill *fill, const struct type1_run *run)
{
	struct type1_mapping *mapping = fill->mapping;
	const unsigned long iova = type1_page_iova(mapping, fill->done);
	const unsigned long npages = run ? run->npages : fill->queued;
	struct type1_domain *domain;
	int ret = 0;

	list_for_each_entry(domain, &fill->iommu->domains, next) {
		if (run)
			ret = type1_domain_map(domain->domain, iova, run,
					       mapping->prot);
		else
			ret = type1_domain_map_list(domain->domain, iova,
						    fill->queue, fill->nr_queued,
						    mapping->prot);
		if (ret)
			break;
	}
	if (!ret)
		return 0;

	list_for_each_entry_continue_reverse(domain, &fill->iommu->domains, next)
		if (!type1_domain_unmap(domain->domain, iova, npages))
			fill->is_stuck = true;
	return ret;
}

/* Log what was just entered. */
static void log_run(struct fill *fill, const struct type1_run *run)
{
	extent_writer_append(&fill->writer, run->pfn, run->npages, run->kind);
	if (extent_is_counted(run->kind))
		fill->credit -= run->npages;
	fill->done += run->npages;
}

/* Enter and log all that is in the queue. */
static int publish_queue(struct fill *fill, enum type1_rule *why)
{
	unsigned int i;
	int ret;

	if (!fill->nr_queued)
		return 0;

	*why = TYPE1_RULE_MEMORY;
	ret = extent_writer_reserve(&fill->writer, fill->nr_queued);
	if (ret)
		return ret;

	*why = TYPE1_RULE_IOMMU;
	ret = map_everywhere(fill, NULL);
	if (ret)
		return ret;

	for (i = 0; i < fill->nr_queued; i++) {
		const struct type1_run run = type1_listed_run(&fill->queue[i]);

		log_run(fill, &run);
	}
	fill->nr_queued = 0;
	fill->queued = 0;
	return 0;
}

/* Enter and log the first pages of the open run, and all before it. */
static int publish_open_run(struct fill *fill, unsigned long npages,
			    enum type1_rule *why)
{
	struct type1_run run = fill->open;
	int ret;

	ret = publish_queue(fill, why);
	if (ret)
		return ret;

	run.npages = npages;

	*why = TYPE1_RULE_IOMMU;
	if (!extent_fits(run.pfn, npages))
		return -EINVAL;

	*why = TYPE1_RULE_MEMORY;
	ret = extent_writer_reserve(&fill->writer, 1);
	if (ret)
		return ret;

	*why = TYPE1_RULE_IOMMU;
	ret = map_everywhere(fill, &run);
	if (ret)
		return ret;

	log_run(fill, &run);
	fill->open.pfn += npages;
	fill->open.npages -= npages;
	return 0;
}

/* Can the open run be entered together with others? */
static bool can_queue(struct fill *fill)
{
	if (fill->open.kind != EXTENT_PAGES ||
	    !extent_fits(fill->open.pfn, fill->open.npages) ||
	    type1_huge_pages_disabled())
		return false;

	if (!fill->queue) {
		fill->queue = (void *)__get_free_page(GFP_KERNEL);
		if (fill->queue)
			sg_init_table(fill->queue, QUEUE_RUNS);
	}
	return fill->queue;
}

/* The open run is complete. */
static int close_open_run(struct fill *fill, enum type1_rule *why)
{
	struct type1_run *open = &fill->open;
	int ret;

	if (!can_queue(fill))
		return publish_open_run(fill, open->npages, why);

	if (fill->nr_queued == QUEUE_RUNS) {
		ret = publish_queue(fill, why);
		if (ret)
			return ret;
	}
	sg_set_page(&fill->queue[fill->nr_queued++], pfn_to_page(open->pfn),
		    open->npages << PAGE_SHIFT, 0);
	fill->queued += open->npages;
	open->npages = 0;
	return 0;
}

/* Add a run to the open one; enter what cannot grow any more. */
static int take_run(struct fill *fill, const struct type1_run *run,
		    enum type1_rule *why)
{
	struct type1_run *open = &fill->open;
	int ret;

	if (open->npages && open->kind == run->kind &&
	    open->pfn + open->npages == run->pfn &&
	    extent_may_grow_at(run->pfn, run->kind)) {
		open->npages += run->npages;
	} else {
		if (open->npages) {
			ret = close_open_run(fill, why);
			if (ret) {
				type1_unpin_run(run, false);
				return ret;
			}
		}
		*open = *run;
	}

	for (;;) {
		unsigned long room = stretch_room(fill->mapping,
						  fill->done + fill->queued);

		if (open->npages < room)
			return 0;
		ret = publish_open_run(fill, room, why);
		if (ret)
			return ret;
	}
}

/*
 * Is what we did so far still there? Somebody may have emptied the mapping, and
 * again filled the list of domains, while we did not hold the lock.
 */
static bool is_current(struct fill *fill)
{
	lockdep_assert_held(&fill->iommu->lock);

	return extent_log_pages(&fill->mapping->log) == fill->done;
}

/* Go on where the log ends. */
static void begin_again(struct fill *fill)
{
	struct type1_mapping *mapping = fill->mapping;

	drop_pending(fill);
	/* Whoever emptied it charged what drivers hold by itself. */
	fill->credit += type1_pins_take_charge(mapping);
	fill->done = extent_log_pages(&mapping->log);
	extent_writer_init(&fill->writer, &mapping->log, mapping->span.first);
	type1_pinner_seek(&fill->pinner, mapping, fill->done);
}

/* The half of a round that needs the lock. */
static int publish_batch(struct fill *fill, enum type1_rule *why)
{
	struct type1 *iommu = fill->iommu;
	struct type1_run run;
	int ret;

	lockdep_assert_held(&iommu->lock);

	if (list_empty(&iommu->domains)) {
		/* Nothing to fill it for. */
		fill->is_over = true;
		return 0;
	}

	if (!fill->writer.log)
		extent_writer_init(&fill->writer, &fill->mapping->log,
				   fill->mapping->span.first);
	if (!is_current(fill)) {
		begin_again(fill);
		return 0;
	}

	while (type1_pinner_next(&fill->pinner, &run)) {
		ret = take_run(fill, &run, why);
		if (ret)
			return ret;
	}

	if (fill->pinner.left)
		return 0;

	ret = publish_queue(fill, why);
	if (!ret && fill->open.npages)
		ret = publish_open_run(fill, fill->open.npages, why);
	if (ret)
		return ret;
	extent_writer_finish(&fill->writer);
	fill->is_over = true;
	return 0;
}

static int fill_round(struct fill *fill, enum type1_rule *why)
{
	struct type1 *iommu = fill->iommu;
	int ret;

	*why = TYPE1_RULE_SIGNAL;
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();

	ret = type1_pinner_fetch(&fill->pinner, why);
	if (ret)
		return ret;

	ret = charge_batch(fill, why);
	if (ret)
		return ret;

	mutex_lock(&iommu->lock);
	ret = publish_batch(fill, why);
	/*
	 * Over and settled in one go: once the lock is dropped, a new domain
	 * must find a mapping that is as the domains before wanted it.
	 */
	if (!ret && fill->is_over)
		type1_settle(iommu, fill->mapping);
	mutex_unlock(&iommu->lock);
	return ret;
}

/**
 * type1_settle() - A mapping is not busy any more
 * @iommu: its address space
 * @mapping: the mapping
 *
 * Context: Process context, @iommu->lock held.
 */
void type1_settle(struct type1 *iommu, struct type1_mapping *mapping)
{
	lockdep_assert_held(&iommu->lock);

	mapping->is_busy = false;
	mapping->is_open = true;
	type1_wake(iommu);
}

/**
 * type1_wake() - Something happened that others wait for
 * @iommu: the address space
 *
 * Context: Process context, @iommu->lock held. Pairs with
 * type1_wait_for_settling().
 */
void type1_wake(struct type1 *iommu)
{
	lockdep_assert_held(&iommu->lock);

	WRITE_ONCE(iommu->settled, iommu->settled + 1);
	if (wq_has_sleeper(&iommu->settled_wait))
		wake_up_all(&iommu->settled_wait);
}

/**
 * type1_fill() - Pin a mapping's memory into all domains
 * @iommu: its address space
 * @mapping: a mapping that the caller made busy, and whose log gets emptied only
 *	by type1_empty()
 * @credit: pages that its payer was charged already for those to be pinned
 * @why: the rule that refused, written on failure
 *
 * When there are no domains, or none any more, the mapping is left empty, and
 * that is success.
 *
 * Context: Process context, may sleep and fault user memory. Takes and releases
 * @iommu->lock.
 * Return: 0 with the mapping settled. Else it is still busy and holds what was
 * pinned so far: -ENOMEM (RLIMIT_MEMLOCK, or memory), -EFAULT and -EINVAL as
 * type1_pinner_fetch(), -EINTR when being killed, -ESRCH when the process that
 * mapped it is gone, or what the IOMMU driver gave.
 */
int type1_fill(struct type1 *iommu, struct type1_mapping *mapping,
	       unsigned long credit, enum type1_rule *why)
{
	struct mm_struct *mm = mapping->payer->mm;
	struct fill fill = {
		.iommu = iommu,
		.mapping = mapping,
		.credit = credit,
	};
	int ret;

	*why = TYPE1_RULE_OWNER_GONE;
	if (mm != current->mm && !mmget_not_zero(mm)) {
		type1_uncharge(mapping->payer, credit);
		return -ESRCH;
	}

	fill.payer = type1_payer_get(mapping->payer);
	type1_pinner_init(&fill.pinner, mapping);
	do {
		ret = fill_round(&fill, why);
	} while (!ret && !fill.is_over);

	drop_pending(&fill);
	if (fill.queue)
		free_page((unsigned long)fill.queue);
	type1_pinner_destroy(&fill.pinner);
	type1_uncharge(fill.payer, fill.credit);
	type1_payer_put(fill.payer);
	/* A dead process is not taken apart here, below the core's locks. */
	if (mm != current->mm)
		mmput_async(mm);
	return ret;
}
