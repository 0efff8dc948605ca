/* SPDX-License-Identifier: GPL-2.0-only */
/* Trace events of the core: what was opened, closed, refused and why. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio

#if !defined(VFIO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VFIO_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

/* An action on a device and the errno it ended with. */
DECLARE_EVENT_CLASS(vfio_device_result,
	TP_PROTO(struct device *dev, int ret),
	TP_ARGS(dev, ret),
	TP_STRUCT__entry(
		__string(name, dev_name(dev))
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->ret = ret;
	),
	TP_printk("%s ret=%d", __get_str(name), __entry->ret)
);

DEFINE_EVENT(vfio_device_result, vfio_device_register,
	     TP_PROTO(struct device *dev, int ret), TP_ARGS(dev, ret));
DEFINE_EVENT(vfio_device_result, vfio_device_open,
	     TP_PROTO(struct device *dev, int ret), TP_ARGS(dev, ret));

/* A step in the life of a device that cannot fail. */
DECLARE_EVENT_CLASS(vfio_device_event,
	TP_PROTO(struct device *dev),
	TP_ARGS(dev),
	TP_STRUCT__entry(
		__string(name, dev_name(dev))
	),
	TP_fast_assign(
		__assign_str(name);
	),
	TP_printk("%s", __get_str(name))
);

DEFINE_EVENT(vfio_device_event, vfio_device_close,
	     TP_PROTO(struct device *dev), TP_ARGS(dev));
DEFINE_EVENT(vfio_device_event, vfio_device_unregister,
	     TP_PROTO(struct device *dev), TP_ARGS(dev));

/* An action on a group, by its number, and the errno it ended with. */
DECLARE_EVENT_CLASS(vfio_group_result,
	TP_PROTO(int group, int ret),
	TP_ARGS(group, ret),
	TP_STRUCT__entry(
		__field(int, group)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->group = group;
		__entry->ret = ret;
	),
	TP_printk("group=%d ret=%d", __entry->group, __entry->ret)
);

DEFINE_EVENT(vfio_group_result, vfio_group_open,
	     TP_PROTO(int group, int ret), TP_ARGS(group, ret));
DEFINE_EVENT(vfio_group_result, vfio_group_viable,
	     TP_PROTO(int group, int ret), TP_ARGS(group, ret));
DEFINE_EVENT(vfio_group_result, vfio_set_container,
	     TP_PROTO(int group, int ret), TP_ARGS(group, ret));

TRACE_EVENT(vfio_get_device_fd,
	TP_PROTO(int group, const char *name, int ret),
	TP_ARGS(group, name, ret),
	TP_STRUCT__entry(
		__field(int, group)
		__string(name, name)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->group = group;
		__assign_str(name);
		__entry->ret = ret;
	),
	TP_printk("group=%d name=%s ret=%d", __entry->group, __get_str(name),
		  __entry->ret)
);

TRACE_EVENT(vfio_set_iommu,
	TP_PROTO(unsigned long type, int ret),
	TP_ARGS(type, ret),
	TP_STRUCT__entry(
		__field(unsigned long, type)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->type = type;
		__entry->ret = ret;
	),
	TP_printk("type=%lu ret=%d", __entry->type, __entry->ret)
);

TRACE_EVENT(vfio_feature,
	TP_PROTO(struct device *dev, u32 flags, int ret),
	TP_ARGS(dev, flags, ret),
	TP_STRUCT__entry(
		__string(name, dev_name(dev))
		__field(u32, flags)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->flags = flags;
		__entry->ret = ret;
	),
	TP_printk("%s feature=%u flags=%#x ret=%d", __get_str(name),
		  __entry->flags & 0xffff, __entry->flags & ~0xffffU,
		  __entry->ret)
);

TRACE_EVENT(vfio_set_migration_state,
	TP_PROTO(struct device *dev, u32 state, int ret),
	TP_ARGS(dev, state, ret),
	TP_STRUCT__entry(
		__string(name, dev_name(dev))
		__field(u32, state)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->state = state;
		__entry->ret = ret;
	),
	TP_printk("%s state=%u ret=%d", __get_str(name), __entry->state,
		  __entry->ret)
);

TRACE_EVENT(vfio_set_irqs,
	TP_PROTO(const struct vfio_irq_set *irqs, int ret),
	TP_ARGS(irqs, ret),
	TP_STRUCT__entry(
		__field(u32, flags)
		__field(u32, index)
		__field(u32, start)
		__field(u32, count)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->flags = irqs->flags;
		__entry->index = irqs->index;
		__entry->start = irqs->start;
		__entry->count = irqs->count;
		__entry->ret = ret;
	),
	TP_printk("index=%u start=%u count=%u flags=%#x ret=%d",
		  __entry->index, __entry->start, __entry->count,
		  __entry->flags, __entry->ret)
);

#endif /* VFIO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
