// SPDX-License-Identifier: GPL-2.0-only
/*
 * Birth and death of devices, with mock devices that no IOMMU stands behind:
 * both ways to own the memory, what unregistration waits for, and sets.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/vfio.h>

/* What the callbacks of one test saw; outlives the devices. */
struct seen {
	int init, release, request;
	int init_ret;
	struct completion asked;	/* ->request() was called */
	struct vfio_device *give_back;	/* put by ->request() */
};

struct mock {
	struct vfio_device vdev;
	struct seen *seen;
};

/* Set before an allocation: ->init() runs within it. */
static struct seen *current_seen;

static int mock_init(struct vfio_device *vdev)
{
	struct mock *mock = container_of(vdev, struct mock, vdev);

	mock->seen = current_seen;
	mock->seen->init++;
	return mock->seen->init_ret;
}

static void mock_release(struct vfio_device *vdev)
{
	container_of(vdev, struct mock, vdev)->seen->release++;
}

static void mock_request(struct vfio_device *vdev, unsigned int count)
{
	struct seen *seen = container_of(vdev, struct mock, vdev)->seen;

	seen->request++;
	complete(&seen->asked);
	if (seen->give_back) {
		vfio_device_put_registration(seen->give_back);
		seen->give_back = NULL;
	}
}

static const struct vfio_device_ops mock_ops = {
	.name = "vfio-kunit",
	.init = mock_init,
	.release = mock_release,
	.request = mock_request,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

static struct seen *new_seen(struct kunit *test)
{
	struct seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seen);
	init_completion(&seen->asked);
	current_seen = seen;
	return seen;
}

static struct device *new_parent(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	return dev;
}

static void put_without_register_releases_once(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-a");
	struct seen *seen = new_seen(test);
	struct mock *mock;

	mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock));
	KUNIT_EXPECT_EQ(test, seen->init, 1);
	KUNIT_EXPECT_PTR_EQ(test, mock->vdev.dev, dev);
	vfio_put_device(&mock->vdev);
	KUNIT_EXPECT_EQ(test, seen->release, 1);
}

static void failing_init_is_not_released(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-b");
	struct seen *seen = new_seen(test);
	struct mock *mock;

	seen->init_ret = -EUCLEAN;
	mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_EXPECT_EQ(test, (int)PTR_ERR(mock), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, seen->init, 1);
	KUNIT_EXPECT_EQ(test, seen->release, 0);
}

static void register_and_unregister_leave_nothing(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-c");
	struct seen *seen = new_seen(test);
	struct mock *mock;
	int i;

	for (i = 0; i < 3; i++) {
		mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
		KUNIT_ASSERT_FALSE(test, IS_ERR(mock));
		KUNIT_EXPECT_FALSE(test, vfio_device_try_get_registration(&mock->vdev));
		KUNIT_ASSERT_EQ(test, 0, vfio_register_emulated_iommu_dev(&mock->vdev));
		KUNIT_EXPECT_TRUE(test, vfio_device_try_get_registration(&mock->vdev));
		vfio_device_put_registration(&mock->vdev);
		vfio_unregister_group_dev(&mock->vdev);
		KUNIT_EXPECT_FALSE(test, vfio_device_try_get_registration(&mock->vdev));
		KUNIT_EXPECT_EQ(test, seen->release, i);
		vfio_put_device(&mock->vdev);
		KUNIT_EXPECT_EQ(test, seen->release, i + 1);
	}
	KUNIT_EXPECT_EQ(test, seen->request, 0);
}

static void unregister_asks_and_waits_for_the_user(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-d");
	struct seen *seen = new_seen(test);
	struct mock *mock;

	mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock));
	KUNIT_ASSERT_EQ(test, 0, vfio_register_emulated_iommu_dev(&mock->vdev));

	/* Given back by ->request(): without it this would wait for ever. */
	KUNIT_ASSERT_TRUE(test, vfio_device_try_get_registration(&mock->vdev));
	seen->give_back = &mock->vdev;
	vfio_unregister_group_dev(&mock->vdev);
	KUNIT_EXPECT_EQ(test, seen->request, 1);
	KUNIT_EXPECT_NULL(test, seen->give_back);
	vfio_put_device(&mock->vdev);
	KUNIT_EXPECT_EQ(test, seen->release, 1);
}

struct unregistering {
	struct mock *mock;
	struct completion done;
};

static int unregister_thread(void *data)
{
	struct unregistering *u = data;

	vfio_unregister_group_dev(&u->mock->vdev);
	complete(&u->done);
	return 0;
}

static void unregister_does_not_end_before_the_user(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-e");
	struct unregistering u = {};
	struct seen *seen = new_seen(test);
	struct task_struct *task;

	init_completion(&u.done);
	u.mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(u.mock));
	KUNIT_ASSERT_EQ(test, 0, vfio_register_emulated_iommu_dev(&u.mock->vdev));
	KUNIT_ASSERT_TRUE(test, vfio_device_try_get_registration(&u.mock->vdev));

	task = kthread_run(unregister_thread, &u, "vfio-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&seen->asked);
	/* Asked already, so no longer visible: no new reference. */
	KUNIT_EXPECT_FALSE(test, completion_done(&u.done));
	vfio_device_put_registration(&u.mock->vdev);
	wait_for_completion(&u.done);

	vfio_put_device(&u.mock->vdev);
	KUNIT_EXPECT_EQ(test, seen->release, 1);
}

static void driver_owned_memory_needs_no_register(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-f");
	struct seen *seen = new_seen(test);
	struct mock *mock = kzalloc(sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->seen = seen;
	KUNIT_ASSERT_EQ(test, 0, vfio_init_group_dev(&mock->vdev, dev, &mock_ops));
	vfio_uninit_group_dev(&mock->vdev);
	/* Nobody looks at it any more: KASAN would tell. */
	kfree(mock);
	KUNIT_EXPECT_EQ(test, seen->init, 0);
	KUNIT_EXPECT_EQ(test, seen->release, 0);
}

static void driver_owned_memory_registers(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-g");
	struct seen *seen = new_seen(test);
	struct mock *mock = kzalloc(sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->seen = seen;
	KUNIT_ASSERT_EQ(test, 0, vfio_init_group_dev(&mock->vdev, dev, &mock_ops));
	KUNIT_ASSERT_EQ(test, 0, vfio_register_emulated_iommu_dev(&mock->vdev));
	vfio_unregister_group_dev(&mock->vdev);
	vfio_uninit_group_dev(&mock->vdev);
	kfree(mock);
	KUNIT_EXPECT_EQ(test, seen->init, 0);
	KUNIT_EXPECT_EQ(test, seen->release, 0);
}

static void drvdata_is_the_drivers(struct kunit *test)
{
	struct device *dev = new_parent(test, "vfio-kunit-h");
	struct mock *mock;

	new_seen(test);
	dev_set_drvdata(dev, test);
	mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock));
	KUNIT_ASSERT_EQ(test, 0, vfio_register_emulated_iommu_dev(&mock->vdev));
	vfio_unregister_group_dev(&mock->vdev);
	vfio_put_device(&mock->vdev);
	KUNIT_EXPECT_PTR_EQ(test, dev_get_drvdata(dev), (void *)test);
}

static void dma_logging_and_migration_must_be_complete(struct kunit *test)
{
	static const struct vfio_migration_ops no_migration = {};
	static const struct vfio_log_ops no_log = {};
	struct device *dev = new_parent(test, "vfio-kunit-i");
	struct mock *mock;

	new_seen(test);
	mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock));
	mock->vdev.mig_ops = &no_migration;
	KUNIT_EXPECT_EQ(test, -EINVAL, vfio_register_emulated_iommu_dev(&mock->vdev));
	mock->vdev.mig_ops = NULL;
	mock->vdev.log_ops = &no_log;
	KUNIT_EXPECT_EQ(test, -EINVAL, vfio_register_emulated_iommu_dev(&mock->vdev));
	vfio_put_device(&mock->vdev);
}

static struct kunit_case lifetime_cases[] = {
	KUNIT_CASE(put_without_register_releases_once),
	KUNIT_CASE(failing_init_is_not_released),
	KUNIT_CASE(register_and_unregister_leave_nothing),
	KUNIT_CASE(unregister_asks_and_waits_for_the_user),
	KUNIT_CASE(unregister_does_not_end_before_the_user),
	KUNIT_CASE(driver_owned_memory_needs_no_register),
	KUNIT_CASE(driver_owned_memory_registers),
	KUNIT_CASE(drvdata_is_the_drivers),
	KUNIT_CASE(dma_logging_and_migration_must_be_complete),
	{}
};

static struct kunit_suite lifetime_suite = {
	.name = "vfio_lifetime",
	.test_cases = lifetime_cases,
};

static struct mock *new_member(struct kunit *test, const char *name, void *id)
{
	struct device *dev = new_parent(test, name);
	struct mock *mock;

	new_seen(test);
	mock = vfio_alloc_device(mock, vdev, dev, &mock_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock));
	if (id)
		KUNIT_EXPECT_EQ(test, 0, vfio_assign_device_set(&mock->vdev, id));
	return mock;
}

static void same_key_same_set(struct kunit *test)
{
	int key_a, key_b;
	struct mock *a = new_member(test, "vfio-set-a", &key_a);
	struct mock *b = new_member(test, "vfio-set-b", &key_a);
	struct mock *c = new_member(test, "vfio-set-c", &key_b);
	struct vfio_device_set *set = a->vdev.dev_set;

	KUNIT_ASSERT_NOT_NULL(test, set);
	KUNIT_EXPECT_PTR_EQ(test, set, b->vdev.dev_set);
	KUNIT_EXPECT_PTR_NE(test, set, c->vdev.dev_set);
	KUNIT_EXPECT_PTR_EQ(test, set->set_id, (void *)&key_a);
	KUNIT_EXPECT_EQ(test, set->device_count, 2U);

	mutex_lock(&set->lock);
	KUNIT_EXPECT_EQ(test, vfio_device_set_open_count(set), 0U);
	KUNIT_EXPECT_PTR_EQ(test, vfio_find_device_in_devset(set, b->vdev.dev), &b->vdev);
	KUNIT_EXPECT_NULL(test, vfio_find_device_in_devset(set, c->vdev.dev));
	a->vdev.open_count = 2;
	b->vdev.open_count = 3;
	KUNIT_EXPECT_EQ(test, vfio_device_set_open_count(set), 5U);
	a->vdev.open_count = 0;
	b->vdev.open_count = 0;
	mutex_unlock(&set->lock);

	vfio_put_device(&a->vdev);
	KUNIT_EXPECT_EQ(test, set->device_count, 1U);
	vfio_put_device(&b->vdev);
	vfio_put_device(&c->vdev);
}

/* init, then failing before register, then uninit: the key can be used anew. */
static void last_member_takes_the_set_along(struct kunit *test)
{
	struct mock *a, *b;
	int key;

	a = new_member(test, "vfio-set-d", &key);
	vfio_put_device(&a->vdev);
	b = new_member(test, "vfio-set-e", &key);
	KUNIT_EXPECT_EQ(test, b->vdev.dev_set->device_count, 1U);
	vfio_put_device(&b->vdev);
}

static void no_key_makes_a_set_of_one(struct kunit *test)
{
	struct mock *a = new_member(test, "vfio-set-f", NULL);

	KUNIT_ASSERT_EQ(test, 0, vfio_register_emulated_iommu_dev(&a->vdev));
	KUNIT_ASSERT_NOT_NULL(test, a->vdev.dev_set);
	KUNIT_EXPECT_EQ(test, a->vdev.dev_set->device_count, 1U);
	vfio_unregister_group_dev(&a->vdev);
	vfio_put_device(&a->vdev);
}

static struct kunit_case device_set_cases[] = {
	KUNIT_CASE(same_key_same_set),
	KUNIT_CASE(last_member_takes_the_set_along),
	KUNIT_CASE(no_key_makes_a_set_of_one),
	{}
};

static struct kunit_suite device_set_suite = {
	.name = "vfio_device_set",
	.test_cases = device_set_cases,
};

kunit_test_suites(&lifetime_suite, &device_set_suite);
