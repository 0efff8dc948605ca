/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The type1 backend's objects: address spaces, mappings, domains, groups.
 *
 * The model. A container with this backend is one I/O address space, struct
 * type1. Users put *mappings* into it: so many pages of a process's memory at
 * an IOVA. Groups of devices join. A group behind an IOMMU brings a *domain*, its
 * page tables, or shares one; every domain has every mapping. A group whose
 * driver emulates an IOMMU brings none.
 *
 * While there is a domain, mappings are *filled*: their memory is pinned,
 * charged to the process that mapped it, entered in all domains and written
 * down in the mapping's extent log (see extent.c). While there is none, they are
 * only remembered. Whoever brings a group in fills what is not filled yet; the last
 * domain that leaves empties all.
 *
 * Besides, drivers of devices pin single pages of mappings, whether those are
 * filled or not. These pins are kept in a table (see pins.c), which a mapping gets
 * when it is first needed. They are charged only while there is no domain, since
 * else the mapping itself is.
 *
 * Nobody's lock is held while user memory is faulted in. Whoever fills a mapping
 * marks it *busy* and pins batch by batch with no lock; between batches it takes
 * &type1.lock, enters what it has into the domains that there are then and
 * appends to the log. So all others go on working:
 *
 *  - a busy mapping is in the tree, so a second mapping that overlaps it is
 *    refused [-EEXIST];
 *  - attaching a group enters what the log has so far into the new domain; the
 *    filler finds that domain in the list with its next batch. After that the
 *    one who attached it waits for mappings to be settled and fills those that
 *    are not complete, so that no group relies on another one's success;
 *  - detaching the last domain empties the log of a busy mapping as well. The
 *    filler compares the log with what it thinks it did: no domain, and it is
 *    done; another domain meanwhile, and it begins again;
 *  - unmapping is what waits: a range that meets a busy mapping is unmapped when
 *    that is not busy any more. The wait ends early for a killed process
 *    [-EINTR], with nothing unmapped.
 *
 * A mapping's address can be taken away for a while (see vaddr.c); nothing that
 * needs one is done then, in the whole address space.
 *
 * Unmapping makes mappings busy too, where drivers hold pages of them: it tells
 * the drivers with no lock held, and they come back to unpin. Such a mapping is
 * *closed* for new pins and *claimed*. Of two unmaps that want to claim mappings
 * which begin in the same range the later one waits, so that it is plain whose a
 * claimed mapping is.
 *
 * Invariants, with &type1.lock held, of a mapping that is not busy:
 *  - no domain: the log is empty, and the charge is for pages that drivers hold;
 *  - a domain: the log has all pages, once whoever attached it has filled them, and
 *    the charge is the number of those that are not a device's;
 *  - it lies within the ranges.
 *
 * Order of teardown, always: IOMMU entries go, the IOTLB is flushed, then
 * pages are unpinned, then they are uncharged. The last two happen outside the lock
 * where a mapping goes altogether.
 *
 * Locks: inside &type1.lock come the mutex of an iommu_group and the mmap_lock of
 * whoever is charged. Outside of it is &type1.users_lock, which is held while
 * drivers are told, and what the core holds.
 */
#ifndef VFIO_TYPE1_H
#define VFIO_TYPE1_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "extent.h"
#include "iova.h"
#include "pins.h"

struct mm_struct;
struct page;
struct seq_file;
struct vfio_bitmap;
struct vfio_device;
struct vfio_iommu_type1_dirty_bitmap_get;
struct task_struct;
enum vfio_group_type;

/*
 * No IOMMU entry is made over a bound of this many bytes of IOVA, so unmapping
 * may stop at one and let others run.
 */
#define TYPE1_STRETCH_BYTES	SZ_1G
#define TYPE1_STRETCH_PAGES	(TYPE1_STRETCH_BYTES >> PAGE_SHIFT)

/* Pages of opaque windows to read back, and to flush, in one go. */
#define TYPE1_SCRATCH_PAGES	(2 * EXTENT_WINDOW_PAGES)

/**
 * struct type1 - The I/O address space of a container
 *
 * @users_lock: guards @users; outside of @lock. Held while drivers are told of an
 *	unmap, so that a device which was unregistered is not told any more
 * @users: list of &vfio_device.iommu_entry of those that pin pages
 * @lock: guards all that follows and the state of every mapping; never held
 *	while user memory is faulted in
 * @mappings: tree of &type1_mapping.node by IOVA; they do not overlap
 * @domains: list of &type1_domain.next
 * @emulated_groups: list of &type1_group.next of the groups without a domain
 * @ranges: where mappings may lie
 * @pgsizes: page sizes that users are told of; alignment is the smallest, which
 *	type1_alignment() reads without @lock
 * @mappings_left: how many mappings may still be made
 * @payer: who mapped last, to be shared by who maps next; a reference, or NULL
 * @births: how many &type1_usage.birth were given out
 * @unmaps: list of the unmaps that wait for drivers with @lock dropped, see unmap.c
 * @settled: count of mappings that stopped being busy, lost their last pin or their
 *	last copy
 * @settled_wait: wait queue for @settled to change
 * @nr_suspended: mappings whose address was taken away
 * @wide_groups: groups whose devices reach everything, for dirty tracking
 * @scratch: TYPE1_SCRATCH_PAGES read back from a domain
 * @is_tracking: dirty pages are tracked
 * @is_v2: VFIO_TYPE1v2_IOMMU: unmapping does not cut a mapping. Constant.
 * @is_nesting: VFIO_TYPE1_NESTING_IOMMU was asked for. Constant.
 */
struct type1 {
	struct mutex users_lock;	/* of users */
	struct list_head users;
	struct mutex lock;	/* of all below */
	struct rb_root mappings;
	struct list_head domains;
	struct list_head emulated_groups;
	struct iova_ranges ranges;
	u64 pgsizes;
	unsigned int mappings_left;
	struct type1_payer *payer;
	u64 births;
	struct list_head unmaps;
	unsigned long settled;
	wait_queue_head_t settled_wait;
	unsigned int nr_suspended;
	unsigned int wide_groups;
	struct page **scratch;
	bool is_tracking;
	bool is_v2;
	bool is_nesting;
};

/**
 * struct type1_payer - Whose locked memory pays for mappings
 *
 * Constant; those who map one after the other share it.
 *
 * @refs: who refers to it
 * @mm: the memory that is mapped, with a reference on the struct only
 * @task: leader of the process that mapped it, whose limit counts
 * @unlimited: it had CAP_IPC_LOCK when it mapped
 */
struct type1_payer {
	refcount_t refs;
	struct mm_struct *mm;
	struct task_struct *task;
	bool unlimited;
};

/**
 * struct type1_usage - What is known of a mapping page by page
 *
 * Most mappings have none, so they do not pay for it. One is made when a driver
 * is about to pin or dirty pages are tracked, and stays as long as the mapping.
 *
 * @pins: pages that drivers hold
 * @pins_charged: pages charged for @pins; all of them while there is no domain
 * @dirty: a bit a page, set where devices may have written it; there while dirty
 *	pages are tracked, see dirty.c
 * @birth: a number that no other mapping of the address space has or had. Constant.
 */
struct type1_usage {
	struct pin_table pins;
	unsigned long pins_charged;
	unsigned long *dirty;
	u64 birth;
};

/**
 * struct type1_mapping - Memory of a process at an IOVA
 *
 * There may be very many, of a page each: it is small on purpose.
 *
 * @node: link in &type1.mappings
 * @dead: link in a list of mappings on their way out, instead of @node
 * @span: the IOVAs. Constant while in the tree.
 * @vaddr: where the memory is in the process
 * @payer: who pays; a reference
 * @log: frames behind the first pages of it; those that are not a device's are
 *	charged
 * @usage: pins and dirty pages, or NULL while there was neither; never replaced
 * @copies: calls that copy to or from its memory with no lock held
 * @prot: IOMMU_READ, IOMMU_WRITE or both. Constant.
 * @is_busy: somebody fills or unmaps it and nobody else may remove it
 * @is_open: drivers may pin it. Not before it is made, nor when it goes.
 * @is_claimed: an unmap that includes its first address waits for drivers to let go
 * @is_suspended: @vaddr was taken away, see vaddr.c
 * @is_stuck: an IOMMU would not give it up, so its pages stay pinned for good
 */
struct type1_mapping {
	union {
		struct rb_node node;
		struct list_head dead;
	};
	struct iova_span span;
	unsigned long vaddr;
	struct type1_payer *payer;
	struct extent_log log;
	struct type1_usage *usage;
	unsigned int copies;
	u8 prot;
	bool is_busy : 1;
	bool is_open : 1;
	bool is_claimed : 1;
	bool is_suspended : 1;
	bool is_stuck : 1;
};

/**
 * struct type1_sweep - Entries that are removed from a domain and flushed together
 * @domain: the domain
 * @gather: what the IOMMU driver remembers of them
 * @first: lowest address; above @last while there is nothing
 * @last: highest address
 * @is_scattered: as type1_sweep_begin() was told
 */
struct type1_sweep {
	struct iommu_domain *domain;
	struct iommu_iotlb_gather gather;
	unsigned long first;
	unsigned long last;
	bool is_scattered;
};

/**
 * struct type1_domain - Page tables that groups share
 *
 * @next: link in &type1.domains
 * @groups: list of &type1_group.next; not empty while in that list
 * @domain: the IOMMU's object
 * @sweep: used by the one who unmaps, from type1_sweep_all_begin() to
 *	type1_sweep_all_end()
 * @enforces_coherency: devices cannot bypass the CPU's caches
 */
struct type1_domain {
	struct list_head next;
	struct list_head groups;
	struct iommu_domain *domain;
	struct type1_sweep sweep;
	bool enforces_coherency;
};

/**
 * struct type1_group - A group of devices in an address space
 *
 * @next: link in &type1_domain.groups or &type1.emulated_groups
 * @group: the group; the container keeps a reference
 * @pins_only: its devices reach nothing but what their driver pins
 */
struct type1_group {
	struct list_head next;
	struct iommu_group *group;
	bool pins_only;
};

/**
 * struct type1_run - Frames that follow one another, pinned in one way
 * @pfn: first frame
 * @npages: how many
 * @kind: an enum extent_kind or an order; never EXTENT_OPAQUE
 */
struct type1_run {
	unsigned long pfn;
	unsigned long npages;
	unsigned int kind;
};

/* A run as it stands in a list for type1_domain_map_list(). */
static inline struct type1_run type1_listed_run(struct scatterlist *sg)
{
	return (struct type1_run){
		.pfn = page_to_pfn(sg_page(sg)),
		.npages = sg->length >> PAGE_SHIFT,
		.kind = EXTENT_PAGES,
	};
}

static inline unsigned long
type1_page_iova(const struct type1_mapping *mapping, unsigned long index)
{
	return mapping->span.first + (index << PAGE_SHIFT);
}

static inline unsigned long
type1_mapping_pages(const struct type1_mapping *mapping)
{
	return iova_span_pages(mapping->span);
}

static inline bool type1_is_complete(const struct type1_mapping *mapping)
{
	return extent_log_pages(&mapping->log) == type1_mapping_pages(mapping);
}

/* Pages that drivers hold. */
static inline unsigned long type1_pins(const struct type1_mapping *mapping)
{
	return mapping->usage ? mapping->usage->pins.npages : 0;
}

/* Pages charged for what drivers hold. */
static inline unsigned long
type1_pins_charged(const struct type1_mapping *mapping)
{
	return mapping->usage ? mapping->usage->pins_charged : 0;
}

/* The bits of dirty pages, or NULL while they are not tracked. */
static inline unsigned long *type1_dirty_bits(const struct type1_mapping *mapping)
{
	return mapping->usage ? mapping->usage->dirty : NULL;
}

/* main.c: the module and its parameters */
bool type1_is_known(unsigned long type);
bool type1_unsafe_interrupts_allowed(void);
bool type1_huge_pages_disabled(void);
#if IS_ENABLED(CONFIG_KUNIT)
void *type1_open(unsigned long type);
void type1_release(void *iommu_data);
#endif

/* ioctl.c: the container's ioctls */
long type1_ioctl(void *iommu_data, unsigned int cmd, unsigned long arg);

/* dma.c: the tree of mappings */
int type1_map(struct type1 *iommu, u64 iova, u64 vaddr, u64 size, int prot);
int type1_check_spans(struct type1 *iommu, u64 iova, u64 vaddr, u64 size,
		      struct iova_span *span, enum type1_rule *why);
int type1_mappings_init(void);
void type1_mappings_exit(void);
int type1_usage_make(struct type1 *iommu, struct type1_mapping *mapping);
void type1_mapping_free(struct type1_mapping *mapping);
u64 type1_alignment(struct type1 *iommu);
struct type1_mapping *type1_mapping_find(struct type1 *iommu,
					 struct iova_span span);
int type1_wait_for_settling(struct type1 *iommu);

static inline struct type1_mapping *type1_mapping_first(struct type1 *iommu)
{
	return rb_entry_safe(rb_first(&iommu->mappings), struct type1_mapping,
			     node);
}

static inline struct type1_mapping *
type1_mapping_next(struct type1_mapping *mapping)
{
	return rb_entry_safe(rb_next(&mapping->node), struct type1_mapping,
			     node);
}

/* unmap.c: taking mappings out of it */
int type1_unmap(struct type1 *iommu, u64 iova, u64 size,
		const struct vfio_bitmap *bitmap, u64 *unmapped);
int type1_unmap_all(struct type1 *iommu, u64 *unmapped);
void type1_mapping_kill(struct type1 *iommu, struct type1_mapping *mapping,
			struct list_head *dead);
void type1_mappings_bury(struct list_head *dead);
void type1_mappings_destroy(struct type1 *iommu);
struct type1_mapping *type1_first_within(struct type1 *iommu,
					 struct iova_span span);
struct type1_mapping *type1_next_within(struct type1_mapping *mapping,
					struct iova_span span);
int type1_check_cuts(struct type1 *iommu, struct iova_span span,
		     enum type1_rule *why);

/* vaddr.c: mappings without an address */
int type1_suspend(struct type1 *iommu, u64 iova, u64 size, u64 *suspended);
int type1_suspend_all(struct type1 *iommu, u64 *suspended);
int type1_resume(struct type1 *iommu, u64 iova, u64 vaddr, u64 size);
bool type1_can_suspend(struct type1 *iommu);

/* account.c: locked memory */

/**
 * struct type1_refund - Charges to give back, summed up by payer
 * @payer: whose; a reference while @pages is not 0
 * @pages: how many
 */
struct type1_refund {
	struct type1_payer *payer;
	unsigned long pages;
};

struct type1_payer *type1_payer_make(bool unlimited);
bool type1_payer_is_current(const struct type1_payer *payer, bool unlimited);
void type1_payer_put(struct type1_payer *payer);

static inline struct type1_payer *type1_payer_get(struct type1_payer *payer)
{
	refcount_inc(&payer->refs);
	return payer;
}

int type1_charge(const struct type1_payer *payer, unsigned long pages);
void type1_charge_anyway(const struct type1_payer *payer, unsigned long pages);
void type1_uncharge(const struct type1_payer *payer, unsigned long pages);
void type1_refund_add(struct type1_refund *refund,
		      struct type1_payer *payer, unsigned long pages);
void type1_refund_flush(struct type1_refund *refund);

/* pin.c: user memory */

/* Small requests need no page of memory for their batch. */
#define TYPE1_FEW_PAGES		16U

/**
 * struct type1_pinner - A walk over user memory that pins it
 *
 * Belongs to one thread; no lock is held while it works.
 *
 * @mm: the memory
 * @vaddr: what comes next
 * @left: pages from @vaddr on
 * @is_write: devices will write it
 * @is_device: a device's frames came last, so look for more first
 * @pages: a batch of pinned pages
 * @capacity: how many @pages can hold
 * @nr: how many it holds
 * @pos: how many of those were taken by type1_pinner_next()
 * @run: a batch that is one run: a leaf of memory, or a device's frames
 * @skew: bits in which addresses and IOVAs differ
 * @small_until: no leaf is to be looked for below this address
 * @few: memory for @pages where there is no better
 */
struct type1_pinner {
	struct mm_struct *mm;
	unsigned long vaddr;
	unsigned long left;
	bool is_write;
	bool is_device;
	struct page **pages;
	unsigned int capacity;
	unsigned int nr;
	unsigned int pos;
	unsigned long skew;
	unsigned long small_until;
	struct type1_run run;
	struct page *few[TYPE1_FEW_PAGES];
};

void type1_pinner_init(struct type1_pinner *pinner,
		       const struct type1_mapping *mapping);
void type1_pinner_seek(struct type1_pinner *pinner,
		       const struct type1_mapping *mapping,
		       unsigned long index);
int type1_pinner_fetch(struct type1_pinner *pinner, enum type1_rule *why);
unsigned long type1_pinner_counted(const struct type1_pinner *pinner);
bool type1_pinner_next(struct type1_pinner *pinner, struct type1_run *run);
void type1_pinner_drop(struct type1_pinner *pinner);
void type1_pinner_destroy(struct type1_pinner *pinner);
long type1_pin_pages(struct mm_struct *mm, unsigned long vaddr, int npages,
		     bool is_write, struct page **pages);
void type1_unpin_run(const struct type1_run *run, bool is_dirty);

/* entry.c: entries of a domain */
void type1_sweep_begin(struct type1_sweep *sweep, struct iommu_domain *domain,
		       bool is_scattered);
bool type1_sweep_pages(struct type1_sweep *sweep, unsigned long iova,
		       unsigned long npages);
void type1_sweep_end(struct type1_sweep *sweep);
int type1_domain_map(struct iommu_domain *domain, unsigned long iova,
		     const struct type1_run *run, int prot);
int type1_domain_map_list(struct iommu_domain *domain, unsigned long iova,
			  struct scatterlist *list, unsigned int nr, int prot);
bool type1_domain_unmap(struct iommu_domain *domain, unsigned long iova,
			unsigned long npages);

/* fill.c: pinning a mapping into all domains */
int type1_fill(struct type1 *iommu, struct type1_mapping *mapping,
	       unsigned long credit, enum type1_rule *why);
void type1_settle(struct type1 *iommu, struct type1_mapping *mapping);
void type1_wake(struct type1 *iommu);

/* drain.c: what a filled mapping holds */
int type1_replay(struct type1 *iommu, struct type1_mapping *mapping,
		 struct iommu_domain *to, enum type1_rule *why);
void type1_sweep_all_begin(struct type1 *iommu, bool is_scattered);
void type1_sweep_all_end(struct type1 *iommu);
void type1_take_out(struct type1 *iommu, struct type1_mapping *mapping);
void type1_let_go(struct type1_mapping *mapping, struct type1_refund *refund);
void type1_empty(struct type1 *iommu, struct type1_mapping *mapping,
		 struct iommu_domain *from, struct type1_refund *refund);

/* verify.c: the log against the IOMMU */
#ifdef CONFIG_VFIO_TYPE1_DEBUG
void type1_verify_run(struct iommu_domain *domain, unsigned long iova,
		      const struct type1_run *run);
void type1_verify_gone(struct iommu_domain *domain, unsigned long iova,
		       unsigned long npages);
void type1_verify_in(struct iommu_domain *domain,
		     const struct type1_mapping *mapping);
void type1_verify(struct type1 *iommu, const struct type1_mapping *mapping);
#else
static inline void type1_verify_run(struct iommu_domain *domain,
				    unsigned long iova,
				    const struct type1_run *run)
{
}

static inline void type1_verify_gone(struct iommu_domain *domain,
				     unsigned long iova, unsigned long npages)
{
}

static inline void type1_verify_in(struct iommu_domain *domain,
				   const struct type1_mapping *mapping)
{
}

static inline void type1_verify(struct type1 *iommu,
				const struct type1_mapping *mapping)
{
}
#endif

/* emulated.c: pages that drivers pin by themselves */
void type1_register_device(void *iommu_data, struct vfio_device *device);
void type1_unregister_device(void *iommu_data, struct vfio_device *device);
int type1_device_pin(void *iommu_data, struct iommu_group *group,
		     dma_addr_t iova, int npage, int prot, struct page **pages);
void type1_device_unpin(void *iommu_data, dma_addr_t iova, int npage);
void type1_tell_devices(struct type1 *iommu, struct iova_span span);
void type1_pins_charge(struct type1_mapping *mapping);
unsigned long type1_pins_take_charge(struct type1_mapping *mapping);
void type1_pins_abandon(struct type1_mapping *mapping,
			struct type1_refund *refund);

/* dirty.c: which pages devices may have written */
#define TYPE1_DIRTY_MAX_BYTES	SZ_256M	/* of a user's bitmap */

int type1_dirty_alloc(struct type1 *iommu, struct type1_mapping *mapping,
		      enum type1_rule *why);
void type1_dirty_free(struct type1_mapping *mapping);
int type1_dirty_start(struct type1 *iommu);
int type1_dirty_stop(struct type1 *iommu);
int type1_dirty_get(struct type1 *iommu,
		    const struct vfio_iommu_type1_dirty_bitmap_get *get);
void type1_dirty_mark(struct type1_mapping *mapping, unsigned long first,
		      unsigned long count);
void type1_dirty_scope_add(struct type1 *iommu);
void type1_dirty_scope_remove(struct type1 *iommu);
int type1_dirty_check(struct type1 *iommu, struct iova_span span,
		      const struct vfio_bitmap *bitmap, enum type1_rule *why);
int type1_dirty_tell_dead(struct list_head *dead, struct iova_span span,
			  const struct vfio_bitmap *bitmap, bool is_all,
			  void *buffer);

/* rw.c: copying to and from the memory of mappings */
int type1_dma_rw(void *iommu_data, dma_addr_t iova, void *data, size_t count,
		 bool write);

/* ranges.c: where mappings may lie */
int type1_ranges_compute(struct type1 *iommu, struct iova_ranges *ranges);
int type1_ranges_narrow(struct iova_ranges *ranges,
			const struct iommu_domain *domain,
			struct iommu_group *group);
void type1_ranges_replace(struct type1 *iommu, struct iova_ranges *ranges);
bool type1_ranges_hold_all(struct type1 *iommu,
			   const struct iova_ranges *ranges);
void type1_ranges_explain(struct type1 *iommu, struct iova_span span);
void type1_regions_free(struct list_head *regions);
void type1_update_pgsizes(struct type1 *iommu);

/* domain.c: IOMMU domains and the groups in them */
int type1_attach_group(void *iommu_data, struct iommu_group *group,
		       enum vfio_group_type type);
void type1_detach_group(void *iommu_data, struct iommu_group *group);
int type1_populate(void *iommu_data);
void type1_note_pinning(struct type1 *iommu, struct iommu_group *group);
struct iommu_domain *type1_group_domain(void *iommu_data,
					struct iommu_group *group);
bool type1_is_coherent(struct type1 *iommu);

#endif /* VFIO_TYPE1_H */
