// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what a reset of a slot or bus hits, and of sets that hold all of
 * it or not, on buses that are made up.
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/pci_hotplug.h>

#include "../pci/private.h"

#define NR_DEVICES	6

/*
 * Bus 1 has functions a and b in one slot and c in another, which is a bridge
 * to bus 2 with d and e. f is on a bus of its own.
 */
enum { A, B, C, D, E, F };

struct machine {
	struct pci_bus bus[3];
	struct pci_dev pdev[NR_DEVICES];
	struct pci_dev upstream;
	struct vfio_pci_core_device vdev[NR_DEVICES];
	struct pci_slot slot[2];
	struct hotplug_slot hotplug[2];
	struct vfio_device_set set;
};

static int reset_slot(struct hotplug_slot *slot, bool probe)
{
	return probe ? 0 : -EIO;
}

static const struct hotplug_slot_ops reset_ops = { .reset_slot = reset_slot };

static void add_device(struct machine *m, unsigned int i, unsigned int bus,
		       struct pci_slot *slot)
{
	struct pci_dev *pdev = &m->pdev[i];

	pdev->dev.init_name = "fake";
	pdev->bus = &m->bus[bus];
	pdev->slot = slot;
	list_add_tail(&pdev->bus_list, &m->bus[bus].devices);
	m->vdev[i].pdev = pdev;
	m->vdev[i].vdev.dev = &pdev->dev;
	m->vdev[i].vdev.dev_set = &m->set;
	INIT_LIST_HEAD(&m->vdev[i].vdev.dev_set_list);
}

static struct machine *new_machine(struct kunit *test, bool has_slots)
{
	struct machine *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < ARRAY_SIZE(m->bus); i++)
		INIT_LIST_HEAD(&m->bus[i].devices);
	for (i = 0; i < ARRAY_SIZE(m->slot); i++) {
		m->slot[i].bus = &m->bus[0];
		m->slot[i].hotplug = &m->hotplug[i];
		m->hotplug[i].ops = &reset_ops;
	}
	mutex_init(&m->set.lock);
	INIT_LIST_HEAD(&m->set.device_list);

	m->bus[0].self = &m->upstream;
	add_device(m, A, 0, has_slots ? &m->slot[0] : NULL);
	add_device(m, B, 0, has_slots ? &m->slot[0] : NULL);
	add_device(m, C, 0, has_slots ? &m->slot[1] : NULL);
	m->bus[1].self = &m->pdev[C];
	m->pdev[C].subordinate = &m->bus[1];
	add_device(m, D, 1, NULL);
	add_device(m, E, 1, NULL);
	add_device(m, F, 2, NULL);
	return m;
}

struct visit {
	struct machine *m;
	unsigned int seen;
};

static int note(struct pci_dev *pdev, void *data)
{
	struct visit *v = data;

	v->seen |= BIT(pdev - v->m->pdev);
	return 0;
}

static unsigned int hit_by(struct machine *m, unsigned int i)
{
	struct visit v = { .m = m };

	vfio_pci_visit_hit(&m->pdev[i], note, &v);
	return v.seen;
}

static void a_slot_hits_its_functions(struct kunit *test)
{
	struct machine *m = new_machine(test, true);

	KUNIT_EXPECT_EQ(test, hit_by(m, A), BIT(A) | BIT(B));
	KUNIT_EXPECT_EQ(test, hit_by(m, B), BIT(A) | BIT(B));
	/* What is behind a bridge is hit with it, and not the other way. */
	KUNIT_EXPECT_EQ(test, hit_by(m, C), BIT(C) | BIT(D) | BIT(E));
	KUNIT_EXPECT_EQ(test, hit_by(m, D), BIT(D) | BIT(E));
	KUNIT_EXPECT_EQ(test, hit_by(m, F), BIT(F));
}

static void a_bus_hits_all_below_it(struct kunit *test)
{
	struct machine *m = new_machine(test, false);
	unsigned int all = BIT(A) | BIT(B) | BIT(C) | BIT(D) | BIT(E);

	KUNIT_EXPECT_EQ(test, hit_by(m, A), all);
	KUNIT_EXPECT_EQ(test, hit_by(m, C), all);
	KUNIT_EXPECT_EQ(test, hit_by(m, E), BIT(D) | BIT(E));
}

static int stop_at_once(struct pci_dev *pdev, void *data)
{
	unsigned int *count = data;

	++*count;
	return 1;
}

static void a_walk_ends_when_told(struct kunit *test)
{
	struct machine *m = new_machine(test, false);
	unsigned int count = 0;

	vfio_pci_visit_hit(&m->pdev[A], stop_at_once, &count);
	KUNIT_EXPECT_EQ(test, count, 1);
}

static void set_members(struct machine *m, unsigned int members)
{
	unsigned int i;

	for (i = 0; i < NR_DEVICES; i++) {
		list_del_init(&m->vdev[i].vdev.dev_set_list);
		if (members & BIT(i))
			list_add_tail(&m->vdev[i].vdev.dev_set_list,
				      &m->set.device_list);
	}
}

/* Of every set of members, for every device: nobody else may be hit. */
static void a_set_covers_what_it_holds_all_of(struct kunit *test)
{
	bool has_slots[] = { true, false };
	unsigned int i, j, members;

	for (i = 0; i < ARRAY_SIZE(has_slots); i++) {
		struct machine *m = new_machine(test, has_slots[i]);

		guard(mutex)(&m->set.lock);
		for (members = 0; members < BIT(NR_DEVICES); members++) {
			set_members(m, members);
			for (j = 0; j < NR_DEVICES; j++)
				KUNIT_EXPECT_EQ_MSG(test,
						    vfio_pci_set_covers_reset(&m->vdev[j],
									      false),
						    !(hit_by(m, j) & ~members),
						    "device %u, members %#x",
						    j, members);
		}
	}
}

static struct kunit_case reset_cases[] = {
	KUNIT_CASE(a_slot_hits_its_functions),
	KUNIT_CASE(a_bus_hits_all_below_it),
	KUNIT_CASE(a_walk_ends_when_told),
	KUNIT_CASE(a_set_covers_what_it_holds_all_of),
	{}
};

static struct kunit_suite reset_suite = {
	.name = "vfio_pci_reset",
	.test_cases = reset_cases,
};

kunit_test_suite(reset_suite);
