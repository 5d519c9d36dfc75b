"""What the people of the attacks hold and have enrolled: apps, lists of codes, devices with passkeys, and the store that knows of them."""
