// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: types, the counting of instances, UUIDs, and creation and
 * removal against each other and against the parent going away.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "private.h"

#define MAX_INSTANCES	3
#define TYPES		2
#define THREADS		8
#define ROUNDS		40

/* A parent with two types, and what its driver saw. */
struct mock {
	struct mdev_parent parent;
	struct mdev_type types[TYPES];
	struct mdev_type *type_list[TYPES];
	struct mdev_driver driver;
	struct device *dev;
};

static atomic_t probes, removes;
static int probe_ret;
/* Devices that own no instance of the core's: for get_available. */
static atomic_t own_count;
static struct completion *hold_remove, *in_remove;

static int mock_probe(struct mdev_device *mdev)
{
	if (probe_ret)
		return probe_ret;
	atomic_inc(&probes);
	return 0;
}

static void mock_remove(struct mdev_device *mdev)
{
	if (hold_remove) {
		complete(in_remove);
		wait_for_completion(hold_remove);
	}
	atomic_inc(&removes);
}

static unsigned int mock_get_available(struct mdev_type *type)
{
	return atomic_read(&own_count);
}

static guid_t nth_uuid(unsigned int nth)
{
	guid_t uuid = GUID_INIT(0x6b756e69, 0x7400, 0x4d64,
				0x80, 0, 0, 0, 0, 0, 0, 0);

	uuid.b[15] = nth;
	uuid.b[14] = nth >> 8;
	return uuid;
}

static int create(struct mdev_type *type, unsigned int nth)
{
	guid_t uuid = nth_uuid(nth);

	return mdev_device_create(type, &uuid);
}

/* With a reference, or NULL. */
static struct mdev_device *find(unsigned int nth)
{
	guid_t uuid = nth_uuid(nth);
	struct device *dev;
	char name[40];

	snprintf(name, sizeof(name), "%pUl", &uuid);
	dev = bus_find_device_by_name(&mdev_bus_type, NULL, name);
	return dev ? to_mdev_device(dev) : NULL;
}

static int remove(unsigned int nth)
{
	struct mdev_device *mdev = find(nth);
	int ret;

	if (!mdev)
		return -ENOENT;
	ret = mdev_device_remove(mdev, NULL);
	put_device(&mdev->dev);
	return ret;
}

static void drop_parent(void *data)
{
	struct mock *mock = data;

	mdev_unregister_parent(&mock->parent);
	/* The types are the driver's again: KASAN would tell who still looks. */
	memset(mock->types, 0x6b, sizeof(mock->types));
}

static void drop_driver(void *driver)
{
	mdev_unregister_driver(driver);
}

static struct mock *new_driver(struct kunit *test, const char *name)
{
	struct mock *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->driver.device_api = "kunit";
	mock->driver.max_instances = MAX_INSTANCES;
	mock->driver.probe = mock_probe;
	mock->driver.remove = mock_remove;
	mock->driver.driver.name = name;
	mock->driver.driver.owner = THIS_MODULE;
	for (i = 0; i < TYPES; i++) {
		mock->types[i].sysfs_name = i ? "two" : "one";
		mock->type_list[i] = &mock->types[i];
	}
	mock->dev = kunit_device_register(test, name);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock->dev));
	KUNIT_ASSERT_EQ(test, 0, mdev_register_driver(&mock->driver));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_driver,
							   &mock->driver));
	return mock;
}

static void add_parent(struct kunit *test, struct mock *mock)
{
	KUNIT_ASSERT_EQ(test, 0,
			mdev_register_parent(&mock->parent, mock->dev,
					     &mock->driver, mock->type_list,
					     TYPES));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drop_parent, mock));
}

static struct mock *new_parent(struct kunit *test, const char *name)
{
	struct mock *mock = new_driver(test, name);

	add_parent(test, mock);
	return mock;
}

static void drivers_must_be_whole(struct kunit *test)
{
	struct mdev_driver drv = { .probe = mock_probe, .driver.name = "none" };

	KUNIT_EXPECT_EQ(test, -EINVAL, mdev_register_driver(&drv));
	drv.device_api = "kunit";
	drv.probe = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, mdev_register_driver(&drv));
}

static void parents_must_have_named_types(struct kunit *test)
{
	struct mock *mock = new_driver(test, "mdev-kunit-types");

	KUNIT_EXPECT_EQ(test, -EINVAL,
			mdev_register_parent(&mock->parent, mock->dev,
					     &mock->driver, mock->type_list, 0));
	/* The second fails, the first is taken back; then all is well. */
	mock->types[1].sysfs_name = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mdev_register_parent(&mock->parent, mock->dev,
					     &mock->driver, mock->type_list,
					     TYPES));
	mock->types[1].sysfs_name = "two";
	add_parent(test, mock);
	KUNIT_EXPECT_PTR_EQ(test, mock->types[0].parent, &mock->parent);
	KUNIT_EXPECT_PTR_EQ(test, mock->types[1].parent, &mock->parent);
	KUNIT_EXPECT_PTR_EQ(test, mock->parent.dev, mock->dev);
}

static void instances_are_counted_over_all_types(struct kunit *test)
{
	struct mock *mock = new_parent(test, "mdev-kunit-count");
	int i;

	for (i = 0; i < MAX_INSTANCES; i++) {
		KUNIT_EXPECT_EQ(test, MAX_INSTANCES - i,
				mdev_type_available(&mock->types[0]));
		KUNIT_EXPECT_EQ(test, 0, create(&mock->types[i % TYPES], i));
	}
	KUNIT_EXPECT_EQ(test, 0, mdev_type_available(&mock->types[1]));
	KUNIT_EXPECT_EQ(test, -EUSERS, create(&mock->types[0], i));
	KUNIT_EXPECT_NULL(test, find(i));
	/* Taken is told before full. */
	KUNIT_EXPECT_EQ(test, -EEXIST, create(&mock->types[0], 0));

	KUNIT_EXPECT_EQ(test, 0, remove(1));
	KUNIT_EXPECT_EQ(test, 1, mdev_type_available(&mock->types[0]));
	KUNIT_EXPECT_EQ(test, 0, create(&mock->types[0], i));
	KUNIT_EXPECT_EQ(test, -EUSERS, create(&mock->types[0], 1));
}

static void uuids_are_unique_across_parents(struct kunit *test)
{
	struct mock *a = new_parent(test, "mdev-kunit-a");
	struct mock *b = new_parent(test, "mdev-kunit-b");
	struct mdev_device *mdev;

	KUNIT_EXPECT_EQ(test, 0, create(&a->types[0], 7));
	KUNIT_EXPECT_EQ(test, -EEXIST, create(&b->types[0], 7));
	KUNIT_EXPECT_EQ(test, MAX_INSTANCES, mdev_type_available(&b->types[0]));

	mdev = find(7);
	KUNIT_ASSERT_NOT_NULL(test, mdev);
	KUNIT_EXPECT_PTR_EQ(test, mdev->type, &a->types[0]);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.parent, a->dev);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.driver, &a->driver.driver);
	KUNIT_EXPECT_PTR_EQ(test, to_mdev_device(mdev_dev(mdev)), mdev);
	KUNIT_EXPECT_EQ(test, 0, mdev_device_remove(mdev, NULL));
	/* A reference keeps the memory, not the name. */
	KUNIT_EXPECT_EQ(test, 0, create(&b->types[0], 7));
	put_device(&mdev->dev);
}

static void a_failing_probe_gives_all_back(struct kunit *test)
{
	struct mock *mock = new_parent(test, "mdev-kunit-probe");
	int i;

	probe_ret = -EUCLEAN;
	for (i = 0; i < 2 * MAX_INSTANCES; i++)
		KUNIT_EXPECT_EQ(test, -EUCLEAN, create(&mock->types[0], 9));
	probe_ret = 0;
	KUNIT_EXPECT_EQ(test, MAX_INSTANCES, mdev_type_available(&mock->types[0]));
	KUNIT_EXPECT_NULL(test, find(9));
	KUNIT_EXPECT_EQ(test, 0, create(&mock->types[0], 9));
}

static void drivers_may_count_by_themselves(struct kunit *test)
{
	struct mock *mock = new_driver(test, "mdev-kunit-own");

	mock->driver.get_available = mock_get_available;
	mock->driver.max_instances = 0;
	add_parent(test, mock);
	atomic_set(&own_count, 42);
	KUNIT_EXPECT_EQ(test, 42, mdev_type_available(&mock->types[0]));
	KUNIT_EXPECT_EQ(test, 0, create(&mock->types[0], 1));
}

/* Many at once: see that there is never one too many, and none too few. */
struct racer {
	struct mock *mock;
	struct completion *start;
	struct completion done;
	unsigned int base;
	unsigned int rounds;
	int created, full, failed;
};

static int race_to_create(void *data)
{
	struct racer *racer = data;
	unsigned int i;

	wait_for_completion(racer->start);
	for (i = 0; i < racer->rounds; i++) {
		int ret = create(&racer->mock->types[i % TYPES],
				 racer->base + i);

		if (!ret)
			racer->created++;
		else if (ret == -EUSERS)
			racer->full++;
		else
			racer->failed++;
	}
	complete(&racer->done);
	return 0;
}

static int race_to_create_and_remove(void *data)
{
	struct racer *racer = data;
	unsigned int i;

	wait_for_completion(racer->start);
	for (i = 0; i < racer->rounds; i++) {
		int ret = create(&racer->mock->types[0], racer->base);

		if (!ret) {
			racer->created++;
			if (remove(racer->base))
				racer->failed++;
		} else if (ret == -EUSERS) {
			racer->full++;
		} else {
			racer->failed++;
		}
	}
	complete(&racer->done);
	return 0;
}

static void race(struct kunit *test, struct mock *mock, struct racer *racers,
		 int (*fn)(void *data), unsigned int rounds)
{
	DECLARE_COMPLETION_ONSTACK(start);
	struct task_struct *task;
	int i;

	for (i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){
			.mock = mock,
			.start = &start,
			.base = 1000 + i * rounds,
			.rounds = rounds,
		};
		init_completion(&racers[i].done);
		task = kthread_run(fn, &racers[i], "mdev-kunit/%d", i);
		/* The others wait for the start, on this stack. */
		if (IS_ERR(task))
			complete(&racers[i].done);
		KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	}
	complete_all(&start);
	for (i = 0; i < THREADS; i++)
		wait_for_completion(&racers[i].done);
}

static void racing_creates_never_pass_the_limit(struct kunit *test)
{
	struct mock *mock = new_parent(test, "mdev-kunit-race");
	struct racer *racers = kunit_kcalloc(test, THREADS, sizeof(*racers),
					     GFP_KERNEL);
	int i, created = 0, full = 0, failed = 0;

	KUNIT_ASSERT_NOT_NULL(test, racers);
	race(test, mock, racers, race_to_create, MAX_INSTANCES);
	for (i = 0; i < THREADS; i++) {
		created += racers[i].created;
		full += racers[i].full;
		failed += racers[i].failed;
	}
	KUNIT_EXPECT_EQ(test, created, MAX_INSTANCES);
	KUNIT_EXPECT_EQ(test, full, THREADS * MAX_INSTANCES - MAX_INSTANCES);
	KUNIT_EXPECT_EQ(test, failed, 0);
	KUNIT_EXPECT_EQ(test, 0, mdev_type_available(&mock->types[0]));
}

static void racing_creates_and_removes_lose_no_instance(struct kunit *test)
{
	struct mock *mock = new_parent(test, "mdev-kunit-storm");
	struct racer *racers = kunit_kcalloc(test, THREADS, sizeof(*racers),
					     GFP_KERNEL);
	int i, probed = atomic_read(&probes), removed = atomic_read(&removes);

	KUNIT_ASSERT_NOT_NULL(test, racers);
	race(test, mock, racers, race_to_create_and_remove, ROUNDS);
	for (i = 0; i < THREADS; i++)
		KUNIT_EXPECT_EQ(test, racers[i].failed, 0);
	KUNIT_EXPECT_EQ(test, MAX_INSTANCES, mdev_type_available(&mock->types[0]));
	KUNIT_EXPECT_EQ(test, atomic_read(&probes) - probed,
			atomic_read(&removes) - removed);
}

static void unregistering_removes_all_devices(struct kunit *test)
{
	struct mock *mock = new_driver(test, "mdev-kunit-gone");
	int i, removed = atomic_read(&removes);
	struct mdev_device *mdev;

	KUNIT_ASSERT_EQ(test, 0,
			mdev_register_parent(&mock->parent, mock->dev,
					     &mock->driver, mock->type_list,
					     TYPES));
	for (i = 0; i < MAX_INSTANCES; i++)
		KUNIT_EXPECT_EQ(test, 0, create(&mock->types[0], i));
	mdev = find(0);
	mdev_unregister_parent(&mock->parent);
	memset(mock->types, 0x6b, sizeof(mock->types));
	KUNIT_EXPECT_EQ(test, MAX_INSTANCES, atomic_read(&removes) - removed);
	for (i = 0; i < MAX_INSTANCES; i++)
		KUNIT_EXPECT_NULL(test, find(i));
	/* The memory of a device may outlive its type. */
	KUNIT_ASSERT_NOT_NULL(test, mdev);
	put_device(&mdev->dev);
}

static int unregister_thread(void *data)
{
	struct racer *racer = data;

	mdev_unregister_parent(&racer->mock->parent);
	complete(&racer->done);
	return 0;
}

/* While a device waits for its users nobody else waits for it. */
static void a_parent_that_goes_refuses_at_once(struct kunit *test)
{
	struct mock *mock = new_driver(test, "mdev-kunit-going");
	DECLARE_COMPLETION_ONSTACK(hold);
	DECLARE_COMPLETION_ONSTACK(entered);
	struct racer racer = { .mock = mock };
	struct mdev_device *mdev;
	struct task_struct *task;

	KUNIT_ASSERT_EQ(test, 0,
			mdev_register_parent(&mock->parent, mock->dev,
					     &mock->driver, mock->type_list,
					     TYPES));
	KUNIT_EXPECT_EQ(test, 0, create(&mock->types[0], 1));
	mdev = find(1);
	KUNIT_EXPECT_NOT_NULL(test, mdev);

	init_completion(&racer.done);
	in_remove = &entered;
	hold_remove = &hold;
	task = kthread_run(unregister_thread, &racer, "mdev-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&entered);
	KUNIT_EXPECT_EQ(test, -ENODEV, create(&mock->types[0], 2));
	KUNIT_EXPECT_EQ(test, -ENODEV, mdev_device_remove(mdev, NULL));
	KUNIT_EXPECT_FALSE(test, completion_done(&racer.done));
	complete_all(&hold);
	wait_for_completion(&racer.done);
	hold_remove = NULL;
	in_remove = NULL;
	put_device(&mdev->dev);
}

static struct kunit_case mdev_cases[] = {
	KUNIT_CASE(drivers_must_be_whole),
	KUNIT_CASE(parents_must_have_named_types),
	KUNIT_CASE(instances_are_counted_over_all_types),
	KUNIT_CASE(uuids_are_unique_across_parents),
	KUNIT_CASE(a_failing_probe_gives_all_back),
	KUNIT_CASE(drivers_may_count_by_themselves),
	KUNIT_CASE(racing_creates_never_pass_the_limit),
	KUNIT_CASE(racing_creates_and_removes_lose_no_instance),
	KUNIT_CASE(unregistering_removes_all_devices),
	KUNIT_CASE(a_parent_that_goes_refuses_at_once),
	{}
};

static struct kunit_suite mdev_suite = {
	.name = "vfio_mdev",
	.test_cases = mdev_cases,
};

kunit_test_suites(&mdev_suite);
