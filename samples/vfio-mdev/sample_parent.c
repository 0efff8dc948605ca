// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent of the sample devices, which stands for no hardware: a class and a
 * device of the module's name.
 */
#include <linux/export.h>
#include <linux/module.h>

#include "sample.h"

/**
 * sample_parent_register() - Make a sample ready to be used
 * @sample: the parent, memory of the caller
 * @name: name of the class and of the device
 * @driver: driver of the mediated devices, to be registered here
 * @types: kinds of devices
 * @nr_types: number of @types
 *
 * Driver first: devices may be created as soon as the parent is there.
 *
 * Context: Process context, in module_init().
 * Return: 0, or the errno of what could not be registered.
 */
int sample_parent_register(struct sample_parent *sample, const char *name,
			   struct mdev_driver *driver,
			   struct mdev_type **types, unsigned int nr_types)
{
	int ret;

	ret = mdev_register_driver(driver);
	if (ret)
		return ret;

	sample->class = class_create(name);
	if (IS_ERR(sample->class)) {
		ret = PTR_ERR(sample->class);
		goto out_driver;
	}

	sample->dev = device_create(sample->class, NULL, MKDEV(0, 0), NULL,
				    "%s", name);
	if (IS_ERR(sample->dev)) {
		ret = PTR_ERR(sample->dev);
		goto out_class;
	}

	ret = mdev_register_parent(&sample->parent, sample->dev, driver, types,
				   nr_types);
	if (ret)
		goto out_device;
	return 0;

out_device:
	device_unregister(sample->dev);
out_class:
	class_destroy(sample->class);
out_driver:
	mdev_unregister_driver(driver);
	return ret;
}
EXPORT_SYMBOL_GPL(sample_parent_register);

/**
 * sample_parent_unregister() - Undo sample_parent_register()
 * @sample: the parent
 * @driver: the driver
 *
 * Context: Process context, in module_exit(). Waits for users.
 */
void sample_parent_unregister(struct sample_parent *sample,
			      struct mdev_driver *driver)
{
	mdev_unregister_parent(&sample->parent);
	device_unregister(sample->dev);
	class_destroy(sample->class);
	mdev_unregister_driver(driver);
}
EXPORT_SYMBOL_GPL(sample_parent_unregister);

MODULE_DESCRIPTION("What the samples of mediated devices have in common");
MODULE_LICENSE("GPL");
