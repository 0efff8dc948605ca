// SPDX-License-Identifier: GPL-2.0-only
/*
 * mtty, a serial card that exists in memory only: how to write a driver for
 * mediated devices.
 *
 *	modprobe mtty
 *	cd /sys/class/mdev_bus/mtty/mdev_supported_types/mtty-2
 *	uuidgen > create
 *	ls devices
 *	qemu-system-x86_64 ... -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/$UUID
 *
 * The guest finds a PCI card with one or two serial ports, whatever is sent to
 * which comes back.
 *
 * Read this file from its end. mtty_init() registers a parent, with the types of
 * cards it offers, and a driver. When a user creates a card, mtty_probe() makes
 * a VFIO device for it, and all the user does to that comes by mtty_vfio_ops.
 * What the ports do is in mtty_uart.c, how a card moves to another machine in
 * mtty_migration.c, and what any PCI device has in sample_pci.c.
 */
#include <linux/module.h>
#include <linux/pci_ids.h>
#include <linux/slab.h>

#include "mtty.h"

/* Ports that all cards together may have. */
#define MTTY_PORTS	24

/* --- The card: ports behind BARs ---------------------------------------------- */

static const struct sample_pci_id mtty_id = {
	/* WCH's CH352, two ports, each behind a BAR of its own. */
	.vendor = 0x4348,
	.device = 0x3253,
	.subsystem_vendor = 0x4348,
	.subsystem = 0x3253,
	.class = PCI_CLASS_COMMUNICATION_SERIAL << 8 | 0x02,
	.has_irq = true,
};

/* Registers of a serial port are bytes: a wider access is several. */
static u32 mtty_read(struct sample_pci *pci, unsigned int index, u64 offset,
		     unsigned int width)
{
	struct mtty *mtty = to_mtty(pci);
	u32 value = 0;
	unsigned int i;

	for (i = 0; i < width; i++)
		value |= (u32)uart_read(&mtty->uarts[index], offset + i) << 8 * i;
	mtty_migration_changed(mtty);
	return value;
}

static int mtty_write(struct sample_pci *pci, unsigned int index, u64 offset,
		      unsigned int width, u32 value)
{
	struct mtty *mtty = to_mtty(pci);
	unsigned int i;

	for (i = 0; i < width; i++)
		uart_write(&mtty->uarts[index], offset + i, value >> 8 * i);
	mtty_migration_changed(mtty);
	return 0;
}

static bool mtty_is_asserting(struct sample_pci *pci)
{
	struct mtty *mtty = to_mtty(pci);
	unsigned int i;

	for (i = 0; i < mtty->ports; i++)
		if (uart_is_asserting(&mtty->uarts[i]))
			return true;
	return false;
}

static void mtty_reset(struct sample_pci *pci)
{
	struct mtty *mtty = to_mtty(pci);
	unsigned int i;

	mtty_migration_reset(mtty);
	for (i = 0; i < mtty->ports; i++)
		uart_reset(&mtty->uarts[i]);
}

static const struct sample_pci_ops mtty_pci_ops = {
	.read = mtty_read,
	.write = mtty_write,
	.is_asserting = mtty_is_asserting,
	.reset = mtty_reset,
};

/* --- Types, and how many cards there may be ------------------------------------ */

/**
 * struct mtty_type - A kind of card
 * @type: as mdev knows it
 * @ports: its number of ports
 */
struct mtty_type {
	struct mdev_type type;
	unsigned int ports;
};

static struct mtty_type mtty_types[] = {
	{
		.type.sysfs_name = "1",
		.type.pretty_name = "Single port serial",
		.ports = 1,
	},
	{
		.type.sysfs_name = "2",
		.type.pretty_name = "Dual port serial",
		.ports = 2,
	},
};

static struct mdev_type *mtty_type_list[] = {
	&mtty_types[0].type,
	&mtty_types[1].type,
};

static struct mtty_type *to_mtty_type(struct mdev_type *type)
{
	return container_of(type, struct mtty_type, type);
}

/*
 * Cards of one kind take more than those of the other, so that mdev cannot
 * count them: we say how many are left, and claim when one is made.
 */
static atomic_t ports_left = ATOMIC_INIT(MTTY_PORTS);

static unsigned int mtty_get_available(struct mdev_type *type)
{
	return atomic_read(&ports_left) / to_mtty_type(type)->ports;
}

static bool claim_ports(unsigned int ports)
{
	int left = atomic_read(&ports_left);

	do {
		if (left < ports)
			return false;
	} while (!atomic_try_cmpxchg(&ports_left, &left, left - ports));
	return true;
}

/* --- The VFIO device of a card --------------------------------------------------- */

/* The card's struct is there, zeroed; fill it. */
static int mtty_init_dev(struct vfio_device *vdev)
{
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));
	unsigned int i;

	mtty->ports = to_mtty_type(mdev->type)->ports;
	if (!claim_ports(mtty->ports))
		return -EUSERS;

	sample_pci_init(&mtty->pci, &mtty_pci_ops, &mtty_id);
	for (i = 0; i < mtty->ports; i++) {
		sample_pci_add_bar(&mtty->pci, i, UART_REGISTERS,
				   PCI_BASE_ADDRESS_SPACE_IO);
		uart_reset(&mtty->uarts[i]);
	}
	mtty_migration_init(mtty);
	return 0;
}

static void mtty_release_dev(struct vfio_device *vdev)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	sample_pci_destroy(&mtty->pci);
	atomic_add(mtty->ports, &ports_left);
}

static void mtty_close_dev(struct vfio_device *vdev)
{
	sample_pci_close(vdev);
	mtty_migration_close(to_mtty(to_sample_pci(vdev)));
}

static const struct vfio_device_ops mtty_vfio_ops = {
	.name = "vfio-mtty",
	.init = mtty_init_dev,
	.release = mtty_release_dev,
	.close_device = mtty_close_dev,
	.ioctl = sample_pci_ioctl,
	SAMPLE_PCI_VFIO_OPS,
};

/* Users may call any operation before registration has returned: it is last. */
static int mtty_probe(struct mdev_device *mdev)
{
	struct mtty *mtty;
	int ret;

	mtty = vfio_alloc_device(mtty, pci.vdev, &mdev->dev, &mtty_vfio_ops);
	if (IS_ERR(mtty))
		return PTR_ERR(mtty);
	dev_set_drvdata(&mdev->dev, mtty);

	ret = vfio_register_emulated_iommu_dev(&mtty->pci.vdev);
	if (ret)
		vfio_put_device(&mtty->pci.vdev);
	return ret;
}

/* When the first call returns nobody has the card open any more. */
static void mtty_remove(struct mdev_device *mdev)
{
	struct mtty *mtty = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&mtty->pci.vdev);
	vfio_put_device(&mtty->pci.vdev);
}

static struct mdev_driver mtty_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = mtty_probe,
	.remove = mtty_remove,
	.get_available = mtty_get_available,
	.driver = {
		.name = "mtty",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

/* --- The module: a parent and its driver ------------------------------------------ */

static struct sample_parent mtty_parent;

static int __init mtty_init(void)
{
	return sample_parent_register(&mtty_parent, "mtty", &mtty_driver,
				      mtty_type_list,
				      ARRAY_SIZE(mtty_type_list));
}

/* Every card is removed first; loading again finds nothing left over. */
static void __exit mtty_exit(void)
{
	sample_parent_unregister(&mtty_parent, &mtty_driver);
}

module_init(mtty_init);
module_exit(mtty_exit);

MODULE_DESCRIPTION("Sample of a mediated device: serial cards in memory");
MODULE_LICENSE("GPL");
