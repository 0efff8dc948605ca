// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locked memory: whatever is mapped, pinned, attached and detached in whatever
 * order, what is charged is what a plain model says, to the page, and the limit
 * refuses exactly what exceeds it.
 *
 * The address space is a real one, and so is the memory. Its domains are
 * arrays, which refuse an entry now and then.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "type1/type1.h"

#define PAGES		96U
#define FIRST_IOVA	((unsigned long)SZ_2M - 40 * PAGE_SIZE)
#define DOMAINS		2
#define STEPS		3000

/**
 * struct array_domain - A domain that is an array
 * @of_type1: it, as type1 sees it
 * @domain: it, as the IOMMU layer sees it
 * @refuse_in: so many entries from now on one is refused; 0 for never
 * @phys: what stands at each page
 */
struct array_domain {
	struct type1_domain of_type1;
	struct iommu_domain domain;
	unsigned int refuse_in;
	phys_addr_t phys[PAGES];
};

/**
 * struct model - What should be
 * @mapping: for each page, the first page of its mapping plus one; or 0
 * @held: for each page, how often drivers hold it
 * @nr_domains: domains that are attached
 * @limit: pages that may be charged
 */
struct model {
	unsigned int mapping[PAGES];
	unsigned int held[PAGES];
	unsigned int nr_domains;
	unsigned long limit;
};

struct world {
	struct kunit *test;
	struct rnd_state rnd;
	struct type1 *iommu;
	unsigned long memory;
	struct array_domain *domain[DOMAINS];
	struct page *pages[PAGES];
	struct model model;
};

static unsigned int dice(struct world *world, unsigned int sides)
{
	return prandom_u32_state(&world->rnd) % sides;
}

static unsigned int page_at(unsigned long iova)
{
	return (iova - FIRST_IOVA) >> PAGE_SHIFT;
}

static unsigned long iova_of(unsigned int page)
{
	return FIRST_IOVA + (unsigned long)page * PAGE_SIZE;
}

static struct array_domain *to_array(struct iommu_domain *domain)
{
	return container_of(domain, struct array_domain, domain);
}

static int array_map(struct iommu_domain *domain, unsigned long iova,
		     phys_addr_t paddr, size_t pgsize, size_t pgcount, int prot,
		     gfp_t gfp, size_t *mapped)
{
	struct array_domain *array = to_array(domain);
	size_t i;

	for (i = 0; i < pgsize * pgcount >> PAGE_SHIFT; i++) {
		phys_addr_t *phys = &array->phys[page_at(iova) + i];

		if (array->refuse_in && !--array->refuse_in)
			return -ENOMEM;
		if (*phys)
			return -EADDRINUSE;
		*phys = paddr + i * PAGE_SIZE;
		*mapped += PAGE_SIZE;
	}
	return 0;
}

static size_t array_unmap(struct iommu_domain *domain, unsigned long iova,
			  size_t pgsize, size_t pgcount,
			  struct iommu_iotlb_gather *gather)
{
	struct array_domain *array = to_array(domain);
	size_t i;

	for (i = 0; i < pgsize * pgcount >> PAGE_SHIFT; i++) {
		phys_addr_t *phys = &array->phys[page_at(iova) + i];

		if (!*phys)
			break;
		*phys = 0;
	}
	return i << PAGE_SHIFT;
}

static phys_addr_t array_iova_to_phys(struct iommu_domain *domain,
				      dma_addr_t iova)
{
	return to_array(domain)->phys[page_at(iova)];
}

static const struct iommu_domain_ops array_ops = {
	.map_pages	= array_map,
	.unmap_pages	= array_unmap,
	.iova_to_phys	= array_iova_to_phys,
};

static unsigned int model_mapped(const struct model *model)
{
	unsigned int i, nr = 0;

	for (i = 0; i < PAGES; i++)
		nr += model->mapping[i] != 0;
	return nr;
}

static unsigned int model_held(const struct model *model)
{
	unsigned int i, nr = 0;

	for (i = 0; i < PAGES; i++)
		nr += model->held[i] != 0;
	return nr;
}

static unsigned int model_charged(const struct model *model)
{
	return model->nr_domains ? model_mapped(model) : model_held(model);
}

/* Do these pages have what is asked about? */
static bool any(const unsigned int *pages, unsigned int first, unsigned int n)
{
	while (n--)
		if (pages[first++])
			return true;
	return false;
}

static bool all(const unsigned int *pages, unsigned int first, unsigned int n)
{
	while (n--)
		if (!pages[first++])
			return false;
	return true;
}

/* Is an IOMMU going to refuse something soon? Then it is known whether it did. */
static bool may_refuse(struct world *world)
{
	bool may = dice(world, 8) == 0;
	unsigned int i;

	for (i = 0; i < world->model.nr_domains; i++)
		world->domain[i]->refuse_in = may ? 1 + dice(world, 20) : 0;
	return may;
}

static bool did_refuse(struct world *world, bool may)
{
	bool did = false;
	unsigned int i;

	for (i = 0; i < world->model.nr_domains; i++) {
		did |= may && !world->domain[i]->refuse_in;
		world->domain[i]->refuse_in = 0;
	}
	return did;
}

static void try_map(struct world *world)
{
	const unsigned int first = dice(world, PAGES);
	const unsigned int n = 1 + dice(world, min(PAGES - first, 40U));
	struct model *model = &world->model;
	const bool may = may_refuse(world);
	unsigned int i;
	int ret, want = 0;

	if (any(model->mapping, first, n))
		want = -EEXIST;
	else if (model->nr_domains && model_charged(model) + n > model->limit)
		want = -ENOMEM;

	ret = type1_map(world->iommu, iova_of(first),
			world->memory + (unsigned long)first * PAGE_SIZE,
			(u64)n * PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);
	if (did_refuse(world, may) && !want)
		want = -ENOMEM;
	KUNIT_ASSERT_EQ(world->test, want, ret);
	for (i = 0; i < n && !ret; i++)
		model->mapping[first + i] = first + 1;
}

/* Of what drivers hold: they would have to be asked for it. */
static void try_unmap(struct world *world)
{
	const unsigned int page = dice(world, PAGES);
	struct model *model = &world->model;
	const unsigned int key = model->mapping[page];
	unsigned int first, n = 1;
	u64 unmapped;
	int ret;

	first = key ? key - 1 : page;
	while (key && first + n < PAGES && model->mapping[first + n] == key)
		n++;
	if (any(model->held, first, n))
		return;

	ret = type1_unmap(world->iommu, iova_of(first), (u64)n * PAGE_SIZE, NULL,
			  &unmapped);
	KUNIT_ASSERT_EQ(world->test, 0, ret);
	KUNIT_ASSERT_EQ(world->test, key ? (u64)n * PAGE_SIZE : 0, unmapped);
	memset(&model->mapping[first], 0, n * sizeof(model->mapping[0]));
}

static void try_pin(struct world *world)
{
	const unsigned int first = dice(world, PAGES);
	const unsigned int n = 1 + dice(world, min(PAGES - first, 24U));
	struct model *model = &world->model;
	unsigned int i, fresh = 0;
	int ret, want = n;

	for (i = 0; i < n; i++)
		fresh += !model->held[first + i];
	if (!all(model->mapping, first, n))
		want = -EINVAL;
	else if (!model->nr_domains && fresh &&
		 model_charged(model) + fresh > model->limit)
		want = -ENOMEM;

	ret = type1_device_pin(world->iommu, NULL, iova_of(first), n, IOMMU_READ,
			       world->pages);
	/* Where two rules refuse, either may be seen first. */
	if (want < 0) {
		KUNIT_ASSERT_LT(world->test, ret, 0);
		return;
	}
	KUNIT_ASSERT_EQ(world->test, want, ret);
	for (i = 0; i < n; i++)
		model->held[first + i]++;
}

static void try_unpin(struct world *world)
{
	unsigned int first = dice(world, PAGES);
	struct model *model = &world->model;
	unsigned int i, n = 0;

	while (first < PAGES - 1 && !model->held[first])
		first++;
	while (first + n < PAGES && n < 40 && model->held[first + n])
		n++;
	if (!n)
		return;

	type1_device_unpin(world->iommu, iova_of(first), n);
	for (i = 0; i < n; i++)
		model->held[first + i]--;
}

/* As domain.c does it, but with no devices. */
static void detach(struct world *world)
{
	struct array_domain *array = world->domain[--world->model.nr_domains];
	struct type1 *iommu = world->iommu;
	struct type1_refund refund = {};
	struct type1_mapping *mapping;

	mutex_lock(&iommu->lock);
	list_del(&array->of_type1.next);
	if (list_empty(&iommu->domains)) {
		for (mapping = type1_mapping_first(iommu); mapping;
		     mapping = type1_mapping_next(mapping)) {
			type1_pins_charge(mapping);
			type1_empty(iommu, mapping, &array->domain, &refund);
		}
	}
	type1_update_pgsizes(iommu);
	mutex_unlock(&iommu->lock);
	type1_refund_flush(&refund);
	memset(array->phys, 0, sizeof(array->phys));
}

static void try_attach(struct world *world)
{
	struct model *model = &world->model;
	struct array_domain *array = world->domain[model->nr_domains];
	struct type1 *iommu = world->iommu;
	const bool is_first = !model->nr_domains;
	const unsigned int before = model_charged(model);
	struct type1_mapping *mapping;
	enum type1_rule why;
	bool may, is_too_much;
	int ret;

	mutex_lock(&iommu->lock);
	if (!list_empty(&iommu->domains)) {
		for (mapping = type1_mapping_first(iommu); mapping;
		     mapping = type1_mapping_next(mapping))
			KUNIT_EXPECT_EQ(world->test, 0,
					type1_replay(iommu, mapping,
						     &array->domain, &why));
	}
	list_add_tail(&array->of_type1.next, &iommu->domains);
	type1_update_pgsizes(iommu);
	mutex_unlock(&iommu->lock);

	model->nr_domains++;
	may = may_refuse(world);
	ret = type1_populate(iommu);
	/* What drivers held was paid for already. */
	is_too_much = model_charged(model) > max_t(unsigned long, before,
						   model->limit);
	if (did_refuse(world, may) || (is_first && is_too_much)) {
		KUNIT_ASSERT_EQ(world->test, -ENOMEM, ret);
		detach(world);
		return;
	}
	KUNIT_ASSERT_EQ(world->test, 0, ret);
}

static void set_limit(struct world *world)
{
	world->model.limit = dice(world, 3) ? dice(world, PAGES + 16) : 2 * PAGES;
	current->signal->rlim[RLIMIT_MEMLOCK].rlim_cur =
		world->model.limit << PAGE_SHIFT;
}

static void step(struct world *world)
{
	const unsigned int nr_domains = world->model.nr_domains;

	switch (dice(world, 16)) {
	case 0 ... 4:
		try_map(world);
		break;
	case 5 ... 7:
		try_unmap(world);
		break;
	case 8 ... 10:
		try_pin(world);
		break;
	case 11 ... 13:
		try_unpin(world);
		break;
	case 14:
		if (nr_domains && dice(world, 2))
			detach(world);
		else if (nr_domains < DOMAINS)
			try_attach(world);
		break;
	case 15:
		set_limit(world);
		break;
	}
}

/* Every page is where it should be, and paid for. */
static void compare(struct world *world)
{
	const struct model *model = &world->model;
	unsigned int d, i, entries;

	KUNIT_ASSERT_EQ(world->test, (unsigned long)model_charged(model),
			current->mm->locked_vm);
	for (d = 0; d < DOMAINS; d++) {
		for (i = entries = 0; i < PAGES; i++)
			entries += world->domain[d]->phys[i] != 0;
		KUNIT_ASSERT_EQ(world->test, entries, d < model->nr_domains ?
				model_mapped(model) : 0);
	}
}

static void make_world(struct kunit *test, struct world *world)
{
	unsigned int i;

	world->test = test;
	prandom_seed_state(&world->rnd, 0xacc0);
	world->memory = kunit_vm_mmap(test, NULL, 0, PAGES * PAGE_SIZE,
				      PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL((void *)world->memory));
	/* Touched one here and one there, so that frames do not follow each other. */
	for (i = 0; i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, 0,
				put_user(1, (u8 __user *)world->memory +
					    i * 61 % PAGES * PAGE_SIZE));
	world->iommu = type1_open(VFIO_TYPE1v2_IOMMU);
	KUNIT_ASSERT_FALSE(test, IS_ERR(world->iommu));

	for (i = 0; i < DOMAINS; i++) {
		struct array_domain *array = kunit_kzalloc(test, sizeof(*array),
							   GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, array);
		INIT_LIST_HEAD(&array->of_type1.groups);
		array->of_type1.domain = &array->domain;
		array->domain.type = IOMMU_DOMAIN_UNMANAGED;
		array->domain.ops = &array_ops;
		array->domain.pgsize_bitmap = PAGE_SIZE | SZ_2M;
		world->domain[i] = array;
	}
}

static void end_world(struct world *world)
{
	u64 unmapped;
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		for (; world->model.held[i]; world->model.held[i]--)
			type1_device_unpin(world->iommu, iova_of(i), 1);
	KUNIT_EXPECT_EQ(world->test, 0, type1_unmap_all(world->iommu, &unmapped));
	KUNIT_EXPECT_EQ(world->test, (u64)model_mapped(&world->model) << PAGE_SHIFT,
			unmapped);
	while (world->model.nr_domains)
		detach(world);
	type1_release(world->iommu);
	KUNIT_EXPECT_EQ(world->test, 0UL, current->mm->locked_vm);
}

static void random_work_is_charged_as_a_model_says(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	const struct cred *before;
	struct cred *weak;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, world);
	make_world(test, world);

	/* Without the capability to exceed the limit. */
	weak = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, weak);
	cap_lower(weak->cap_effective, CAP_IPC_LOCK);
	before = override_creds(weak);

	set_limit(world);
	for (i = 0; i < STEPS; i++) {
		step(world);
		compare(world);
		cond_resched();
	}
	end_world(world);
	revert_creds(before);
	put_cred(weak);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE_SLOW(random_work_is_charged_as_a_model_says),
	{}
};

static struct kunit_suite account_suite = {
	.name = "vfio_type1_account",
	.test_cases = account_cases,
};

kunit_test_suite(account_suite);

MODULE_DESCRIPTION("KUnit test of what type1 mappings charge as locked memory");
MODULE_LICENSE("GPL");
