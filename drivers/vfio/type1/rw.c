// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying to and from the memory behind IOVAs, for devices that need not pin it.
 *
 * The memory is that of the process which mapped it. Its own threads and kernel
 * threads may copy; any other process may not.
 *
 * What is in memory is copied under &type1.lock with page faults off. Only where
 * that does not do, the lock is dropped; the mapping counts such copies, and
 * whoever unmaps it or takes its address away waits for them, so that afterwards no
 * copy lands in what the memory is used for then.
 */
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "type1.h"

/* Bytes to copy under the lock before others get it. */
#define LOCKED_BYTES	SZ_64K

/**
 * struct copy - A copy between kernel memory and IOVAs
 * @iommu: the address space
 * @iova: where the next byte is
 * @data: the kernel's side of it
 * @left: bytes from there on
 * @is_write: to the IOVAs
 * @why: the rule that refused
 */
struct copy {
	struct type1 *iommu;
	unsigned long iova;
	void *data;
	size_t left;
	bool is_write;
	enum type1_rule why;
};

static int refuse(struct copy *copy, enum type1_rule why, int ret)
{
	copy->why = why;
	return ret;
}

static int check_copy(struct copy *copy, const struct type1_mapping *mapping)
{
	lockdep_assert_held(&copy->iommu->lock);

	/* One that goes is there until drivers, who were told, let go of it. */
	if (!mapping || !(mapping->is_open || mapping->is_claimed))
		return refuse(copy, TYPE1_RULE_NOT_MAPPED, -EINVAL);

	if (copy->iommu->nr_suspended)
		return refuse(copy, TYPE1_RULE_SUSPENDED, -EBUSY);

	/* A mapping that devices cannot read cannot be written this way either. */
	if (!(mapping->prot & IOMMU_READ) ||
	    (copy->is_write && !(mapping->prot & IOMMU_WRITE)))
		return refuse(copy, TYPE1_RULE_PROT, -EPERM);

	if (current->mm != mapping->payer->mm &&
	    (current->mm || !(current->flags & PF_KTHREAD)))
		return refuse(copy, TYPE1_RULE_OTHER_PROCESS, -EFAULT);
	return 0;
}

static void __user *copy_vaddr(const struct copy *copy,
			       const struct type1_mapping *mapping)
{
	return (void __user *)(mapping->vaddr +
			       (copy->iova - mapping->span.first));
}

static size_t copy_room(const struct copy *copy,
			const struct type1_mapping *mapping)
{
	return min_t(unsigned long, copy->left - 1,
		     mapping->span.last - copy->iova) + 1;
}

static void advance(struct copy *copy, size_t n)
{
	copy->iova += n;
	copy->data += n;
	copy->left -= n;
}

#define DEFINE_COPY_WORD(type)						\
static bool copy_##type(struct copy *copy, type __user *user)		\
{									\
	type word;							\
									\
	if (copy->is_write) {						\
		memcpy(&word, copy->data, sizeof(word));		\
		return !__put_user(word, user);				\
	}								\
	if (__get_user(word, user))					\
		return false;						\
	memcpy(copy->data, &word, sizeof(word));			\
	return true;							\
}

DEFINE_COPY_WORD(u16)
DEFINE_COPY_WORD(u32)
DEFINE_COPY_WORD(u64)

/*
 * Drivers read and write indexes and descriptors a word at a time: in one
 * access, so that nobody sees half of it, and with none of what longer copies
 * take to begin.
 */
static bool copy_word(struct copy *copy, void __user *user, size_t n)
{
	if (!IS_ALIGNED((unsigned long)user, n))
		return false;

	switch (n) {
	case sizeof(u16):
		return copy_u16(copy, user);
	case sizeof(u32):
		return copy_u32(copy, user);
	case sizeof(u64):
		return copy_u64(copy, user);
	}
	return false;
}

/* What is in memory, as much as comes before something that is not. */
static size_t copy_at_once(struct copy *copy, void __user *user, size_t n)
{
	size_t missed;

	if (!access_ok(user, n))
		return 0;

	pagefault_disable();
	if (n <= sizeof(u64) && copy_word(copy, user, n))
		missed = 0;
	else if (copy->is_write)
		missed = __copy_to_user_inatomic(user, copy->data, n);
	else
		missed = __copy_from_user_inatomic(copy->data, user, n);
	pagefault_enable();
	return n - missed;
}

static int copy_faulting(struct copy *copy, struct mm_struct *mm,
			 void __user *user, size_t n)
{
	const bool is_own = mm == current->mm;
	size_t missed;

	copy->why = TYPE1_RULE_OWNER_GONE;
	if (!is_own) {
		if (!mmget_not_zero(mm))
			return -EFAULT;
		kthread_use_mm(mm);
	}

	copy->why = TYPE1_RULE_USER_MEMORY;
	if (copy->is_write)
		missed = copy_to_user(user, copy->data, n);
	else
		missed = copy_from_user(copy->data, user, n);

	if (!is_own) {
		kthread_unuse_mm(mm);
		mmput_async(mm);
	}
	return missed ? -EFAULT : 0;
}

/*
 * Copy out of one mapping what may need page faults, without the lock, which is
 * held again afterwards.
 */
static int copy_unlocked(struct copy *copy, struct type1_mapping *mapping,
			 size_t n)
{
	struct type1 *iommu = copy->iommu;
	void __user *user = copy_vaddr(copy, mapping);
	struct mm_struct *mm = mapping->payer->mm;
	int ret;

	lockdep_assert_held(&iommu->lock);

	mapping->copies++;
	mutex_unlock(&iommu->lock);
	ret = copy_faulting(copy, mm, user, n);
	mutex_lock(&iommu->lock);

	/* Some of it may have been written even where it failed. */
	if (copy->is_write)
		type1_dirty_mark(mapping, copy->iova - mapping->span.first, n);
	if (!--mapping->copies)
		type1_wake(iommu);
	return ret;
}

static int copy_some(struct copy *copy)
{
	const struct iova_span at = { copy->iova, copy->iova };
	struct type1_mapping *mapping;
	size_t n, done = 0;
	int ret;

	guard(mutex)(&copy->iommu->lock);

	mapping = type1_mapping_find(copy->iommu, at);
	ret = check_copy(copy, mapping);
	if (ret)
		return ret;

	n = min_t(size_t, copy_room(copy, mapping), LOCKED_BYTES);
	if (mapping->payer->mm == current->mm)
		done = copy_at_once(copy, copy_vaddr(copy, mapping), n);
	if (done) {
		if (copy->is_write && type1_dirty_bits(mapping))
			type1_dirty_mark(mapping,
					 copy->iova - mapping->span.first, done);
	} else {
		ret = copy_unlocked(copy, mapping, n);
		done = n;
	}
	if (!ret)
		advance(copy, done);
	return ret;
}

/**
 * type1_dma_rw() - Copy between kernel memory and IOVAs
 * @iommu_data: the address space
 * @iova: first address
 * @data: the kernel's side
 * @count: bytes
 * @write: true to write to the IOVAs, false to read from them
 *
 * Context: Process context of a thread of the process that mapped the memory, or
 * of a kernel thread; may sleep and fault user memory; not under a lock that a
 * page fault needs. Takes and releases &type1.lock.
 * Return: 0; -EINVAL where an address is not mapped; -EPERM where the mapping
 * does not allow it; -EBUSY while addresses are taken away; -EFAULT for memory
 * that is not there or is another process's. Part of it may have been copied then.
 */
int type1_dma_rw(void *iommu_data, dma_addr_t iova, void *data, size_t count,
		 bool write)
{
	struct copy copy = {
		.iommu = iommu_data,
		.data = data,
		.left = count,
		.is_write = write,
	};
	unsigned long last;
	int ret;

	copy.iova = iova;
	if (check_add_overflow(copy.iova, count - 1, &last) || copy.iova != iova)
		ret = refuse(&copy, TYPE1_RULE_WRAP, -EINVAL);
	else
		ret = copy_some(&copy);

	while (copy.left && !ret) {
		cond_resched();
		ret = copy_some(&copy);
	}

	trace_vfio_dma_rw(iova, count, write, ret,
			  ret ? copy.why : TYPE1_RULE_NONE);
	return ret;
}
