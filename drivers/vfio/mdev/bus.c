// SPDX-License-Identifier: GPL-2.0-only
/* The bus that mediated devices and their drivers meet on. */
#include <linux/export.h>

#include "private.h"

static struct mdev_driver *to_mdev_driver(const struct device_driver *drv)
{
	return container_of(drv, struct mdev_driver, driver);
}

static int mdev_probe(struct device *dev)
{
	return to_mdev_driver(dev->driver)->probe(to_mdev_device(dev));
}

static void mdev_remove(struct device *dev)
{
	struct mdev_driver *drv = to_mdev_driver(dev->driver);

	if (drv->remove)
		drv->remove(to_mdev_device(dev));
}

/*
 * A device is for its parent's driver. Creation binds it, to be told when that
 * fails; until then and from its removal on nobody else shall. The driver core
 * may ask about a device that just left the bus, whose parent is gone.
 */
static int mdev_match(struct device *dev, const struct device_driver *drv)
{
	struct mdev_device *mdev = to_mdev_device(dev);

	return !test_bit(MDEV_BUSY, &mdev->state) &&
	       mdev->driver == to_mdev_driver(drv);
}

const struct bus_type mdev_bus_type = {
	.name = "mdev",
	.match = mdev_match,
	.probe = mdev_probe,
	.remove = mdev_remove,
};

/**
 * mdev_register_driver() - Register a driver for mediated devices
 * @drv: the driver, with all its members set
 *
 * It binds to devices of those parents only that name it.
 *
 * Context: Process context. Pairs with mdev_unregister_driver().
 * Return: 0; -EINVAL for a driver without device_api or probe; -EBUSY for a name
 * that is taken; or another errno of the driver core.
 */
int mdev_register_driver(struct mdev_driver *drv)
{
	struct device_driver *driver = &drv->driver;

	if (!drv->device_api || !drv->probe)
		return -EINVAL;

	driver->bus = &mdev_bus_type;
	return driver_register(driver);
}
EXPORT_SYMBOL(mdev_register_driver);

/**
 * mdev_unregister_driver() - Undo mdev_register_driver()
 * @drv: the driver; no parent is registered any more that names it
 *
 * Context: Process context.
 */
void mdev_unregister_driver(struct mdev_driver *drv)
{
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL(mdev_unregister_driver);
