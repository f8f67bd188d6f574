"""`store.h5`: external links to every file, for people with h5py or HDFView. Our code never reads through it."""

import h5py

from store.atomic import write_file
from store.layout import Layout
from store.names import from_file_name


def write_links(layout: Layout) -> int:
    """Write `store.h5` anew; gives back the number of links. Paths in it are relative: the store may be moved."""
    with h5py.File("links", "w", driver="core", backing_store=False, libver="earliest") as file:
        paths = layout.files()
        for path in paths:
            relative = path.relative_to(layout.root)
            groups = [from_file_name(part).replace("/", "∕") for part in relative.with_suffix("").parts]
            file["/".join(groups)] = h5py.ExternalLink(str(relative), "/")
        file.flush()
        image = file.id.get_file_image()
    write_file(layout.links, image)
    return len(paths)
