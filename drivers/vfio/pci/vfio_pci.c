// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver that hands any PCI endpoint to a user.
 *
 * It binds to no device by itself: a device is given to it by driver_override,
 * by new_id or by the parameter "ids".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio_pci_core.h>
#include <kunit/visibility.h>

#include "private.h"

static char ids[1024] __initdata;
module_param_string(ids, ids, sizeof(ids), 0);
MODULE_PARM_DESC(ids, "IDs of devices to take, \"vendor:device[:subvendor[:subdevice[:class[:class_mask]]]]\", separated by commas");

static bool nointxmask;
module_param(nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "Never mask INTx at the device. For devices whose masking is broken; they get interrupt lines of their own or none. Holds for devices bound later");

#ifdef CONFIG_VFIO_PCI_VGA
static bool disable_vga;
module_param(disable_vga, bool, 0444);
MODULE_PARM_DESC(disable_vga, "Do not offer VGA regions");
#else
static const bool disable_vga;
#endif

static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "Keep devices that nobody uses awake. Holds for devices bound later");

#ifdef CONFIG_PCI_IOV
static bool enable_sriov;
module_param(enable_sriov, bool, 0644);
MODULE_PARM_DESC(enable_sriov, "Let the administrator enable virtual functions of devices that a user drives. That user can watch and break them");
#endif

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist, "Take devices that are known to endanger the host in the hands of a user");

/* Devices whose user can break the host, or out of the IOMMU's fence. */
static const struct pci_device_id denylist[] = {
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_DSA_SPR0) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_IAX_SPR0) },
	{}
};

VISIBLE_IF_KUNIT bool vfio_pci_is_denied(struct pci_dev *pdev, bool is_list_off)
{
	if (!pci_match_id(denylist, pdev))
		return false;

	pci_warn(pdev, "is on the denylist, %s\n", is_list_off ?
		 "taken since disable_denylist is set" : "not taken");
	return !is_list_off;
}

/* Parameters as they are when the device comes, and then for all its life. */
static int vfio_pci_init_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	int ret;

	ret = vfio_pci_core_init_dev(core_vdev);
	if (ret)
		return ret;

	vdev->nointxmask = READ_ONCE(nointxmask);
	vdev->disable_vga = disable_vga;
	vdev->disable_idle_d3 = READ_ONCE(disable_idle_d3);
	return 0;
}

static int vfio_pci_open_device(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	int ret;

	ret = vfio_pci_core_enable(vdev);
	if (ret)
		return ret;

	vfio_pci_core_finish_enable(vdev);
	return 0;
}

static const struct vfio_device_ops vfio_pci_ops = {
	.name		= "vfio-pci",
	.init		= vfio_pci_init_dev,
	.release	= vfio_pci_core_release_dev,
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
	.open_device	= vfio_pci_open_device,
	.close_device	= vfio_pci_core_close_device,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.ioctl		= vfio_pci_core_ioctl,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
	.device_feature	= vfio_pci_core_ioctl_feature,
};

static int vfio_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	if (vfio_pci_is_denied(pdev, disable_denylist))
		return -EINVAL;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev,
				 &vfio_pci_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	pci_set_drvdata(pdev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret) {
		pci_set_drvdata(pdev, NULL);
		vfio_put_device(&vdev->vdev);
	}
	return ret;
}

static void vfio_pci_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = pci_get_drvdata(pdev);

	vfio_pci_core_unregister_device(vdev);
	pci_set_drvdata(pdev, NULL);
	vfio_put_device(&vdev->vdev);
}

static int vfio_pci_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
#ifdef CONFIG_PCI_IOV
	if (READ_ONCE(enable_sriov))
		return vfio_pci_core_sriov_configure(pci_get_drvdata(pdev),
						     nr_virtfn);
#endif
	return -ENOENT;
}

static const struct pci_device_id vfio_pci_table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, vfio_pci_table);

static struct pci_driver vfio_pci_driver = {
	.name			= "vfio-pci",
	.driver_managed_dma	= true,
	.id_table		= vfio_pci_table,
	.probe			= vfio_pci_probe,
	.sriov_configure	= vfio_pci_sriov_configure,
	.err_handler		= &vfio_pci_core_err_handlers,
	.remove			= vfio_pci_remove,
};

/* Add what one entry of the parameter "ids" names. */
static void __init add_id(const char *entry)
{
	unsigned int vendor, device;
	unsigned int subvendor = PCI_ANY_ID, subdevice = PCI_ANY_ID;
	unsigned int class = 0, class_mask = 0;
	int fields, ret;

	fields = sscanf(entry, "%x:%x:%x:%x:%x:%x", &vendor, &device,
			&subvendor, &subdevice, &class, &class_mask);
	if (fields < 2) {
		pr_warn("ids: \"%s\" is not vendor:device\n", entry);
		return;
	}

	ret = pci_add_dynid(&vfio_pci_driver, vendor, device, subvendor,
			    subdevice, class, class_mask, 0);
	if (ret)
		pr_warn("ids: \"%s\" was not added: %d\n", entry, ret);
	else
		pr_info("takes %04x:%04x:%04x:%04x class %#x/%#x\n", vendor,
			device, subvendor, subdevice, class, class_mask);
}

static void __init add_ids(void)
{
	char *rest = ids;
	char *entry;

	while ((entry = strsep(&rest, ",")))
		if (*entry)
			add_id(entry);
}

static int __init vfio_pci_init(void)
{
	int ret;

	/* For the drivers of single devices, which have no such parameters. */
	vfio_pci_core_set_params(nointxmask, disable_vga, disable_idle_d3);

	ret = pci_register_driver(&vfio_pci_driver);
	if (ret)
		return ret;

	add_ids();
	if (disable_denylist)
		pr_warn("the denylist of devices is off\n");
	return 0;
}

static void __exit vfio_pci_exit(void)
{
	pci_unregister_driver(&vfio_pci_driver);
}

module_init(vfio_pci_init);
module_exit(vfio_pci_exit);

MODULE_DESCRIPTION("VFIO for any PCI device");
MODULE_LICENSE("GPL");
