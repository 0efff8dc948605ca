// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data file of a migration: a queue of bytes that a device fills and a user
 * reads, or that a user writes and a device takes over.
 *
 * Users may cut a stream anywhere; only the records' own headers say where they
 * end. Two hold a stream: the device while the session lasts, and the file, which
 * may outlive session, device and driver. So a stream has a lock of its own, inner
 * to the device's, and never looks at the device. What is restored is put together
 * in memory of the stream and looked at when the session is over. After the end of
 * the session, whoever comes by the file gets ENODEV. User memory is touched
 * without that lock, or a user whose pages never come would stop the device: bytes
 * pass by a buffer that readers and writers take turns with.
 *
 * While the device runs (PRE_COPY) it tells its state each time it changes. A
 * state of which nothing has been read yet is replaced, so that the queue stays
 * short however long nobody reads it: a record that is being read, one that
 * waits, and the end. What a reader is given leaves the queue before it is copied,
 * and waits aside for the next reader where that fails.
 */
#include <linux/anon_inodes.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#include "stream.h"

/* Bytes that a reader or a writer moves at a time. */
#define BOUNCE_SIZE	1024

/**
 * struct sample_stream - One migration session
 * @refs: the device's and the file's
 * @format: fixed
 * @variant: fixed
 * @is_saving: fixed
 * @queue_size: fixed
 * @turn: held by who reads or writes the file; guards @bounce; outer to @lock,
 *	and the device never takes it
 * @bounce: bytes on their way to or from user memory
 * @bounce_pos: saving: where those begin that no reader got yet
 * @lock: guards all below
 * @wait: for those who poll
 * @is_over: the session has ended
 * @queue: saving: bytes to be read; restoring: the record being written
 * @used: bytes in @queue
 * @is_final: saving: nothing comes after what is in the queue
 * @pos: saving: bytes of @queue that were taken from it
 * @on_their_way: saving: bytes of @bounce that no reader got yet
 * @initial: saving: bytes not read yet of those that were there at the beginning
 * @last: saving: where in @queue a state begins that may be replaced, or -1
 * @is_bad: restoring: what was written is not valid
 * @has_ident: restoring: it has said whose stream it is, and that was right
 * @has_state: restoring: @state is what the device was
 * @is_complete: restoring: the end was written
 * @state: restoring: the last state that was written
 */
struct sample_stream {
	refcount_t refs;
	const struct sample_format *format;
	u32 variant;
	bool is_saving;
	size_t queue_size;
	struct mutex turn; /* bounce and bounce_pos */
	u8 *bounce;
	size_t bounce_pos;
	struct mutex lock; /* everything below */
	wait_queue_head_t wait;
	bool is_over;
	u8 *queue;
	size_t used;
	bool is_final;
	size_t pos;
	size_t on_their_way;
	size_t initial;
	ssize_t last;
	bool is_bad;
	bool has_ident;
	bool has_state;
	bool is_complete;
	void *state;
};

static void stream_put(struct sample_stream *stream)
{
	if (!refcount_dec_and_test(&stream->refs))
		return;
	kfree(stream->state);
	kfree(stream->queue);
	kfree(stream->bounce);
	mutex_destroy(&stream->lock);
	mutex_destroy(&stream->turn);
	kfree(stream);
}

/* The longest record: nothing longer is taken, whatever a header says. */
static size_t record_max(const struct sample_format *format)
{
	return sizeof(struct sample_record) +
	       max_t(size_t, format->size, sizeof(struct sample_ident));
}

/**
 * sample_stream_length() - How long is a stream of a device that is stopped?
 * @format: the driver's format
 *
 * Return: bytes.
 */
size_t sample_stream_length(const struct sample_format *format)
{
	return 3 * sizeof(struct sample_record) + sizeof(struct sample_ident) +
	       format->size;
}
EXPORT_SYMBOL_GPL(sample_stream_length);

static struct sample_stream *stream_new(const struct sample_format *format,
					u32 variant)
{
	struct sample_stream *stream = kzalloc(sizeof(*stream),
					       GFP_KERNEL_ACCOUNT);

	if (!stream)
		return NULL;

	refcount_set(&stream->refs, 1);
	stream->format = format;
	stream->variant = variant;
	stream->last = -1;
	stream->queue_size = 4 * record_max(format);
	mutex_init(&stream->turn);
	mutex_init(&stream->lock);
	init_waitqueue_head(&stream->wait);
	stream->bounce = kzalloc(BOUNCE_SIZE, GFP_KERNEL_ACCOUNT);
	stream->queue = kzalloc(stream->queue_size, GFP_KERNEL_ACCOUNT);
	stream->state = kzalloc(format->size, GFP_KERNEL_ACCOUNT);
	if (!stream->bounce || !stream->queue || !stream->state) {
		stream_put(stream);
		return NULL;
	}
	return stream;
}

/* --- Saving ------------------------------------------------------------------ */

/* Drops what was read, so that all the room is behind what was not. */
static void compact(struct sample_stream *stream)
{
	lockdep_assert_held(&stream->lock);

	memmove(stream->queue, stream->queue + stream->pos,
		stream->used - stream->pos);
	stream->used -= stream->pos;
	/* A state that was begun to be read cannot be replaced any more. */
	if (stream->last < (ssize_t)stream->pos)
		stream->last = -1;
	else
		stream->last -= stream->pos;
	stream->pos = 0;
}

static void push(struct sample_stream *stream, enum sample_record_type type,
		 const void *data, u32 length)
{
	struct sample_record record = {
		.type = cpu_to_le32(type),
		.length = cpu_to_le32(length),
	};

	lockdep_assert_held(&stream->lock);

	compact(stream);
	if (stream->last >= 0)
		stream->used = stream->last;
	if (WARN_ON_ONCE(stream->used + sizeof(record) + length >
			 stream->queue_size))
		return;

	stream->last = type == SAMPLE_STATE ? stream->used : -1;
	memcpy(stream->queue + stream->used, &record, sizeof(record));
	stream->used += sizeof(record);
	if (length)
		memcpy(stream->queue + stream->used, data, length);
	stream->used += length;
	wake_up(&stream->wait);
}

/**
 * sample_stream_save() - Begin to save a device
 * @format: the driver's format
 * @variant: for &sample_ident.variant
 * @state: the device as it is now
 *
 * Context: Process context. The device's lock may be held.
 * Return: the stream, for sample_stream_end(); NULL when out of memory.
 */
struct sample_stream *sample_stream_save(const struct sample_format *format,
					 u32 variant, const void *state)
{
	struct sample_ident ident = {
		.magic = cpu_to_le32(format->magic),
		.version = cpu_to_le32(format->version),
		.variant = cpu_to_le32(variant),
	};
	struct sample_stream *stream = stream_new(format, variant);

	if (!stream)
		return NULL;

	stream->is_saving = true;
	guard(mutex)(&stream->lock);
	push(stream, SAMPLE_IDENT, &ident, sizeof(ident));
	push(stream, SAMPLE_STATE, state, format->size);
	return stream;
}
EXPORT_SYMBOL_GPL(sample_stream_save);

/**
 * sample_stream_update() - The device is running and has changed
 * @stream: a stream that saves
 * @state: the device as it is now
 *
 * Context: Process context. The device's lock may be held.
 */
void sample_stream_update(struct sample_stream *stream, const void *state)
{
	guard(mutex)(&stream->lock);

	push(stream, SAMPLE_STATE, state, stream->format->size);
}
EXPORT_SYMBOL_GPL(sample_stream_update);

/**
 * sample_stream_finish() - The device is stopped
 * @stream: a stream that saves
 * @state: the device as it will be
 *
 * Context: Process context. The device's lock may be held.
 */
void sample_stream_finish(struct sample_stream *stream, const void *state)
{
	guard(mutex)(&stream->lock);

	push(stream, SAMPLE_STATE, state, stream->format->size);
	/* This one is not to be replaced by the end. */
	stream->last = -1;
	push(stream, SAMPLE_END, NULL, 0);
	stream->is_final = true;
	wake_up(&stream->wait);
}
EXPORT_SYMBOL_GPL(sample_stream_finish);

/* Takes what comes next aside; returns how much of it @count allows. */
static ssize_t begin_reading(struct sample_stream *stream, size_t count)
{
	size_t size;

	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return -ENODEV;
	if (!stream->on_their_way) {
		size = min3(count, stream->used - stream->pos,
			    (size_t)BOUNCE_SIZE);
		memcpy(stream->bounce, stream->queue + stream->pos, size);
		stream->pos += size;
		stream->bounce_pos = 0;
		stream->on_their_way = size;
	}
	/* Nothing now, unlike at the end. */
	if (!stream->on_their_way && stream->used == stream->pos &&
	    !stream->is_final)
		return -ENOMSG;
	return min(count, stream->on_their_way);
}

/* The reader got it. */
static int end_reading(struct sample_stream *stream, size_t count)
{
	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return -ENODEV;
	stream->bounce_pos += count;
	stream->on_their_way -= count;
	stream->initial -= min(count, stream->initial);
	return 0;
}

/**
 * sample_stream_take() - Read a stream that is saved
 * @stream: the stream
 * @to: where to
 * @count: how much at most
 *
 * Context: Process context; by one at a time.
 * Return: bytes, 0 at the end; -ENOMSG where nothing is there now; -ENODEV after
 * the session's end.
 */
ssize_t sample_stream_take(struct sample_stream *stream, void *to, size_t count)
{
	ssize_t size = begin_reading(stream, count);

	if (size <= 0)
		return size;
	memcpy(to, stream->bounce + stream->bounce_pos, size);
	return end_reading(stream, size) ?: size;
}
EXPORT_SYMBOL_GPL(sample_stream_take);

static ssize_t stream_read(struct file *file, char __user *buf, size_t count,
			   loff_t *ppos)
{
	struct sample_stream *stream = file->private_data;
	ssize_t size;

	if (ppos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&stream->turn))
		return -ERESTARTSYS;

	size = begin_reading(stream, count);
	if (size > 0) {
		if (copy_to_user(buf, stream->bounce + stream->bounce_pos, size))
			size = -EFAULT;
		else
			size = end_reading(stream, size) ?: size;
	}
	mutex_unlock(&stream->turn);
	return size;
}

static int precopy_info(struct sample_stream *stream,
			struct vfio_precopy_info *info)
{
	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return -ENODEV;
	if (stream->is_final)
		return -EINVAL;
	info->initial_bytes = stream->initial;
	info->dirty_bytes = stream->on_their_way + stream->used - stream->pos -
			    stream->initial;
	return 0;
}

static long stream_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	struct sample_stream *stream = file->private_data;
	void __user *uarg = (void __user *)arg;
	struct vfio_precopy_info info = {};
	int ret;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_precopy_info, dirty_bytes),
			    uarg);
	if (ret)
		return ret;
	info.flags = 0;
	ret = precopy_info(stream, &info);
	if (ret)
		return ret;
	return vfio_info_reply(uarg, &info, sizeof(info), NULL, NULL);
}

/* --- Restoring ---------------------------------------------------------------- */

/**
 * sample_stream_restore() - Begin to restore a device
 * @format: the driver's format
 * @variant: what &sample_ident.variant must be
 *
 * Context: Process context. The device's lock may be held.
 * Return: the stream, for sample_stream_end(); NULL when out of memory.
 */
struct sample_stream *sample_stream_restore(const struct sample_format *format,
					    u32 variant)
{
	return stream_new(format, variant);
}
EXPORT_SYMBOL_GPL(sample_stream_restore);

static int accept_ident(struct sample_stream *stream, const void *data)
{
	struct sample_ident ident;

	memcpy(&ident, data, sizeof(ident));
	if (ident.magic != cpu_to_le32(stream->format->magic) ||
	    ident.version != cpu_to_le32(stream->format->version) ||
	    ident.variant != cpu_to_le32(stream->variant))
		return -EINVAL;
	stream->has_ident = true;
	return 0;
}

static int accept_state(struct sample_stream *stream, const void *data)
{
	if (!stream->format->is_valid(data, stream->variant))
		return -EINVAL;
	memcpy(stream->state, data, stream->format->size);
	stream->has_state = true;
	return 0;
}

/* A whole record, that fits the queue. */
static int accept_record(struct sample_stream *stream, u32 type,
			 const void *data, u32 length)
{
	bool is_ident = type == SAMPLE_IDENT;

	/* The first is IDENT, and only that; behind END there is nothing. */
	if (stream->is_complete || stream->has_ident == is_ident)
		return -EINVAL;

	switch (type) {
	case SAMPLE_IDENT:
		if (length != sizeof(struct sample_ident))
			return -EINVAL;
		return accept_ident(stream, data);
	case SAMPLE_STATE:
		if (length != stream->format->size)
			return -EINVAL;
		return accept_state(stream, data);
	case SAMPLE_END:
		if (length || !stream->has_state)
			return -EINVAL;
		stream->is_complete = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct sample_record *record_of(const struct sample_stream *stream)
{
	return (const struct sample_record *)stream->queue;
}

/* Bytes of the record that is being written, as far as is known by now. */
static size_t record_size(const struct sample_stream *stream)
{
	if (stream->used < sizeof(struct sample_record))
		return sizeof(struct sample_record);
	return sizeof(struct sample_record) +
	       le32_to_cpu(record_of(stream)->length);
}

/* After more bytes came: is this a header that can be, a record that is whole? */
static int take_record(struct sample_stream *stream)
{
	const struct sample_record *record = record_of(stream);
	int ret;

	if (stream->used < sizeof(*record))
		return 0;
	if (le32_to_cpu(record->length) >
	    record_max(stream->format) - sizeof(*record))
		return -EINVAL;
	if (stream->used < record_size(stream))
		return 0;

	ret = accept_record(stream, le32_to_cpu(record->type), record + 1,
			    le32_to_cpu(record->length));
	stream->used = 0;
	return ret;
}

/**
 * sample_stream_give() - Write a stream that is restored
 * @stream: the stream
 * @from: from where
 * @count: how much
 *
 * Context: Process context.
 * Return: 0; -EINVAL for what is not valid, now or before; -ENODEV after the
 * session's end.
 */
int sample_stream_give(struct sample_stream *stream, const void *from,
		       size_t count)
{
	size_t done = 0, part;

	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return -ENODEV;
	while (done < count && !stream->is_bad) {
		/* Never beyond the record: it ends inside of the queue. */
		part = min(count - done, record_size(stream) - stream->used);
		memcpy(stream->queue + stream->used, from + done, part);
		stream->used += part;
		done += part;
		stream->is_bad = take_record(stream);
	}
	return stream->is_bad ? -EINVAL : 0;
}
EXPORT_SYMBOL_GPL(sample_stream_give);

static ssize_t stream_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct sample_stream *stream = file->private_data;
	size_t done = 0, size;
	int ret = 0;

	if (ppos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&stream->turn))
		return -ERESTARTSYS;

	do {
		size = min_t(size_t, count - done, BOUNCE_SIZE);
		if (copy_from_user(stream->bounce, buf + done, size))
			ret = -EFAULT;
		else
			ret = sample_stream_give(stream, stream->bounce, size);
		if (!ret)
			done += size;
		cond_resched();
	} while (!ret && done < count && !fatal_signal_pending(current));
	mutex_unlock(&stream->turn);

	/* What went before a fault is told first; a bad stream is bad as a whole. */
	if (ret == -EFAULT && done)
		ret = 0;
	return ret ?: done;
}

/**
 * sample_stream_restored() - What was put together from a stream
 * @stream: a stream that restores
 *
 * Nothing more can be written after this.
 *
 * Context: Process context. The device's lock may be held.
 * Return: the state, valid until sample_stream_end(); NULL where the stream was
 * not valid or not whole.
 */
const void *sample_stream_restored(struct sample_stream *stream)
{
	guard(mutex)(&stream->lock);

	/* The caller looks at it without the lock: no more may be written. */
	stream->is_over = true;
	if (stream->is_bad || stream->used || !stream->is_complete)
		return NULL;
	return stream->state;
}
EXPORT_SYMBOL_GPL(sample_stream_restored);

/* --- The file ------------------------------------------------------------------ */

static __poll_t stream_poll(struct file *file, poll_table *wait)
{
	struct sample_stream *stream = file->private_data;

	poll_wait(file, &stream->wait, wait);

	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return EPOLLERR | EPOLLHUP;
	if (!stream->is_saving)
		return EPOLLOUT | EPOLLWRNORM;
	if (stream->on_their_way || stream->used > stream->pos ||
	    stream->is_final)
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static int stream_release(struct inode *inode, struct file *file)
{
	stream_put(file->private_data);
	return 0;
}

static const struct file_operations saving_fops = {
	.owner = THIS_MODULE,
	.read = stream_read,
	.poll = stream_poll,
	.unlocked_ioctl = stream_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = stream_release,
};

static const struct file_operations restoring_fops = {
	.owner = THIS_MODULE,
	.write = stream_write,
	.poll = stream_poll,
	.release = stream_release,
};

/**
 * sample_stream_file() - The file by which a user reaches a stream
 * @stream: the stream
 *
 * What was saved by now is what PRE_COPY calls initial.
 *
 * Context: Process context. The device's lock may be held.
 * Return: the file, with a reference of its own on the stream; or ERR_PTR() of
 * -ENOMEM or -ENFILE.
 */
struct file *sample_stream_file(struct sample_stream *stream)
{
	struct file *file;

	if (stream->is_saving)
		file = anon_inode_getfile("vfio-save", &saving_fops, stream,
					  O_RDONLY);
	else
		file = anon_inode_getfile("vfio-restore", &restoring_fops,
					  stream, O_WRONLY);
	if (IS_ERR(file))
		return file;

	refcount_inc(&stream->refs);
	stream_open(file_inode(file), file);
	guard(mutex)(&stream->lock);
	stream->initial = stream->used;
	/* The beginning is not replaced: it was counted. */
	stream->last = -1;
	return file;
}
EXPORT_SYMBOL_GPL(sample_stream_file);

/**
 * sample_stream_end() - End a session, from the device's side
 * @stream: the stream, not to be used any more
 *
 * Context: Process context. The device's lock may be held.
 */
void sample_stream_end(struct sample_stream *stream)
{
	mutex_lock(&stream->lock);
	stream->is_over = true;
	wake_up(&stream->wait);
	mutex_unlock(&stream->lock);
	stream_put(stream);
}
EXPORT_SYMBOL_GPL(sample_stream_end);

/* --- States ---------------------------------------------------------------------- */

/**
 * sample_migration_walk() - Perform arcs until the device is where it shall be
 * @vdev: the device
 * @state: where it is; follows it, also where an arc fails
 * @target: where the user wants it
 * @arc: performs one arc, from where the device is to @next; gives NULL, the file of
 *	the session that begins with it, or ERR_PTR(), and may move @state to ERROR then
 *
 * Context: The lock that guards @state is held.
 * Return: the file of the session that began with the last arc, NULL for none;
 * ERR_PTR() of -EINVAL where no way leads there, or of what @arc gave.
 */
struct file *sample_migration_walk(struct vfio_device *vdev,
				   enum vfio_device_mig_state *state,
				   enum vfio_device_mig_state target,
				   struct file *(*arc)(struct vfio_device *vdev,
						       enum vfio_device_mig_state next))
{
	struct file *file = NULL;
	enum vfio_device_mig_state next;
	int ret;

	/* Nobody asks for ERROR, not even who is there. */
	if (target == VFIO_DEVICE_STATE_ERROR)
		return ERR_PTR(-EINVAL);

	for (; *state != target; *state = next) {
		ret = vfio_mig_get_next_state(vdev, *state, target, &next);
		file = ret ? ERR_PTR(ret) : arc(vdev, next);
		if (IS_ERR(file))
			break;
	}
	return file;
}
EXPORT_SYMBOL_GPL(sample_migration_walk);

MODULE_DESCRIPTION("What the samples that migrate have in common");
MODULE_LICENSE("GPL");
