"""The portal: server-rendered French pages, one thin door on the services. Works without JavaScript, by keyboard, printed, at 320 px."""
